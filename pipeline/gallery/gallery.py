"""What the program asks of a gallery, whatever keeps it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Cutout:
    """A face with what is around it: enough to align it again for any other embedder.

    jpeg       of the cut-out part of the picture
    landmarks  (5, 2) float32, in pixels of that part
    """

    jpeg: bytes
    landmarks: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Picture:
    """One face of a person.

    embedding   (D,) float32 of unit length
    image_hash  sha256 of the picture it came from: the same picture is kept once for a person
    quality     0…1
    source      where it came from, for people to read; may be empty
    """

    embedding: NDArray[np.float32]
    image_hash: str
    quality: float
    cutout: Cutout | None = None
    source: str = ""


@dataclass(frozen=True, slots=True)
class Kept:
    """A picture as a gallery keeps it.

    id    a random UUID
    name  whose it is; None: a stranger's, somebody who must not be taken for anybody of the gallery
    time  UTC, ISO 8601: when it was enrolled
    """

    id: str
    name: str | None
    time: str
    picture: Picture


@dataclass(frozen=True, slots=True)
class Person:
    name: str
    pictures: int
    since: str  # UTC, ISO 8601: when the first picture was enrolled


@dataclass(frozen=True, slots=True)
class Match:
    """name     None: a stranger; all strangers together count as one
    score    cosine, -1…1
    picture  id of the nearest picture of this person
    """

    name: str | None
    score: float
    picture: str = ""


@dataclass(frozen=True, slots=True)
class Health:
    """away_s   for how long the server has not answered; None: it does, or there is none
    waiting  changes that it has not been told yet
    """

    away_s: float | None = None
    waiting: int = 0


class Gallery(Protocol):
    """Pictures of people, and of strangers, in one embedding space. Names are unique, compared as written."""

    @property
    def space(self) -> str: ...

    @property
    def dim(self) -> int: ...

    def count(self) -> int:
        """Pictures, of people and of strangers."""

    def add(self, name: str | None, pictures: Sequence[Picture]) -> int:
        """Keep the pictures that are new for this person; return how many were."""

    def restore(self, pictures: Sequence[Kept]) -> int:
        """Keep pictures that another gallery kept, with their ids and times; return how many were new."""

    def people(self) -> list[Person]:
        """Everybody with a name, by name."""

    def kept(self, names: Collection[str | None] | None = None) -> Iterator[Kept]:
        """The pictures of these people, of all when None, in an order that does not change by itself."""

    def rename(self, name: str, new_name: str) -> int:
        """Return how many pictures there are; GalleryError if somebody else has the new name, or nobody the old one."""

    def merge(self, name: str, into: str) -> int:
        """All pictures of the one become the other's; return how many there were."""

    def remove(self, ids: Collection[str]) -> int:
        """Erase single pictures; return how many there were."""

    def delete(self, name: str | None) -> int:
        """Forget a person; return how many pictures were erased, 0 for somebody unknown."""

    def search(self, embeddings: NDArray[np.float32], limit: int = 2) -> list[list[Match]]:
        """For each row of (N, D) the best `limit` people, best first, each person once."""

    def content_hash(self) -> str:
        """Another one as soon as a picture, a name or the space is another, the same for the same content."""

    def health(self) -> Health: ...

    def close(self) -> None: ...
