"""A shelf of a dictionary, which passes the tests of the others: for tests of those who use one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from app.archive.shelf import EVERYTHING, SIGHTING, Hit, Wanted, hit
from app.archive.sighting import Point


@dataclass
class MemoryShelf:
    space: str = "painted@1"
    dim: int = 8
    kept: dict[str, Point] = field(default_factory=dict)

    def put(self, points: Sequence[Point]) -> None:
        self.kept |= {point.id: point for point in points}

    def points(self, kind: str, *, vectors: bool = False) -> Iterator[Point]:
        for one in sorted(self.kept):
            point = self.kept[one]
            if point.payload["kind"] == kind:
                yield point if vectors else Point(point.id, point.payload)

    def count(self, kind: str, wanted: Wanted = EVERYTHING) -> int:
        return sum(_is(point, wanted) for point in self.points(kind))

    def search(self, rows: NDArray[np.float32], limit: int, least: float, wanted: Wanted) -> list[list[Hit]]:
        found = []
        for row in rows:
            near = [
                (float(point.vector @ row), point)
                for point in self.points(SIGHTING, vectors=True)
                if point.vector is not None and _is(point, wanted)
            ]
            best = sorted(near, key=lambda one: -one[0])[:limit]
            found.append([hit(point.id, score, point.payload) for score, point in best if score >= least])
        return found

    def forget(self, recording: str) -> None:
        self.kept = {one: point for one, point in self.kept.items() if point.payload.get("recording") != recording}

    def settle(self) -> None: ...

    def close(self) -> None: ...


def _is(point: Point, wanted: Wanted) -> bool:
    said = point.payload
    is_of = not wanted.cameras or said["camera"] in wanted.cameras
    is_since = wanted.since is None or said["last"] >= wanted.since
    return is_of and is_since and (wanted.until is None or said["first"] <= wanted.until)
