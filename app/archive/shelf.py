"""What indexing and finding ask of the place where sightings are kept, whatever keeps it.

Everything on a shelf is a point. Those of sightings have a vector; those of parts and recordings only say what was
done, in the same place and in the same step, so that the two cannot differ after a crash.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from app.archive.sighting import PART, RECORDING, SIGHTING, Point, Sighting, sighting_of

__all__ = ["EVERYTHING", "INDEXED", "PART", "RECORDING", "SIGHTING", "Hit", "Shelf", "Wanted"]

# Payload that is searched by, and how Qdrant calls its kind.
INDEXED = (
    ("kind", "keyword"),
    ("camera", "keyword"),
    ("recording", "keyword"),
    ("first", "datetime"),
    ("last", "datetime"),
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which sightings. cameras: any of them, all when there is none; since, until: UTC, ISO 8601, and a sighting that
    was still going on at one of them, or had begun, is among them.
    """

    cameras: tuple[str, ...] = ()
    since: str | None = None
    until: str | None = None


EVERYTHING = Wanted()


@dataclass(frozen=True, slots=True)
class Hit:
    """score  cosine"""

    sighting: Sighting
    score: float


class Shelf(Protocol):
    @property
    def space(self) -> str: ...

    @property
    def dim(self) -> int: ...

    def put(self, points: Sequence[Point]) -> None:
        """In one step, so that the last point is only there when all are. Those with known ids are written over."""

    def points(self, kind: str, *, vectors: bool = False) -> Iterator[Point]:
        """All of a kind, in the order of their ids."""

    def count(self, kind: str, wanted: Wanted = EVERYTHING) -> int: ...

    def search(self, rows: NDArray[np.float32], limit: int, least: float, wanted: Wanted) -> list[list[Hit]]:
        """For each row of (N, D) of unit length the nearest sightings with a cosine of at least `least`, best first."""

    def forget(self, recording: str) -> None:
        """Erase all points of this recording's content: its sightings, parts and files."""

    def settle(self) -> None:
        """After much was put: build what makes searching quick."""

    def close(self) -> None: ...


def hit(one: str, score: float, payload: dict[str, Any]) -> Hit:
    """Without the embedding, which a search does not bring."""
    return Hit(sighting_of(one, payload, np.zeros(0, np.float32)), round(float(score), 6))
