"""What the program asks of a gallery, whatever keeps it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Picture:
    """One enrolled face of a person.

    embedding   (D,) float32 of unit length
    image_hash  sha256 of the picture it came from: the same picture is kept once
    quality     0…1
    """

    embedding: NDArray[np.float32]
    image_hash: str
    quality: float


@dataclass(frozen=True, slots=True)
class Person:
    name: str
    pictures: int
    since: str  # UTC, ISO 8601: when the first picture was enrolled


@dataclass(frozen=True, slots=True)
class Match:
    name: str
    score: float  # cosine, -1…1


class Gallery(Protocol):
    """Pictures of people in one embedding space. Names are unique, compared as written."""

    @property
    def space(self) -> str: ...

    def add(self, name: str, pictures: Sequence[Picture]) -> int:
        """Keep the pictures that are new for this person; return how many were."""

    def people(self) -> list[Person]:
        """Everybody, by name."""

    def delete(self, name: str) -> int:
        """Forget a person; return how many pictures were erased, 0 for somebody unknown."""

    def search(self, embeddings: NDArray[np.float32], limit: int = 2) -> list[list[Match]]:
        """For each row of (N, D) the best `limit` people, best first, each person once."""

    def close(self) -> None: ...
