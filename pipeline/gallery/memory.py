"""A gallery in memory: a read copy that answers without a disk or a network, and the measure of what others answer."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pipeline.gallery.edits import Change, Edited, Entry, Erase, Put, Rename
from pipeline.gallery.gallery import Kept, Match
from pipeline.gallery.intake import unit_rows
from pipeline.gallery.ranking import Hit, nearest_people


class MemoryGallery(Edited):
    """Searches by one product of matrices."""

    def __init__(self, *, space: str, dim: int) -> None:
        super().__init__(space=space, dim=dim)
        self._kept: dict[str, Kept] = {}  # in the order of the rows
        self._ids: list[str] = []
        self._rows = np.zeros((0, dim), np.float32)  # grows by doubling: rows from len(_ids) on mean nothing

    def count(self) -> int:
        return len(self._kept)

    def entries(self, names: Collection[str | None] | None = None) -> Iterator[Entry]:
        wanted = None if names is None else set(names)
        found = [_entry(kept) for kept in list(self._kept.values()) if wanted is None or kept.name in wanted]
        yield from sorted(found, key=lambda entry: entry.id)

    def entries_of(self, ids: Collection[str]) -> list[Entry]:
        return [_entry(self._kept[one]) for one in dict.fromkeys(ids) if one in self._kept]

    def kept_of(self, ids: Sequence[str]) -> list[Kept]:
        return [self._kept[one] for one in ids if one in self._kept]

    def apply(self, change: Change) -> None:
        if isinstance(change, Put):
            self._put(change.pictures)
        elif isinstance(change, Rename):
            for one in change.ids:
                if one in self._kept:
                    self._kept[one] = replace(self._kept[one], name=change.name)
        else:
            self._erase(change)

    def search(self, embeddings: NDArray[np.float32], limit: int = 2) -> list[list[Match]]:
        rows = unit_rows(embeddings, space=self._space, dim=self._dim)
        return nearest_people(rows, limit, self._nearest)

    def close(self) -> None:
        """Nothing to give back."""

    def _nearest(self, rows: NDArray[np.float32], points: int) -> list[list[Hit]]:
        if not self._ids:
            return [[] for _ in rows]
        scores = rows @ self._rows[: len(self._ids)].T
        few = min(points, len(self._ids))
        best = np.argpartition(-scores, few - 1, axis=1)[:, :few]
        best = np.take_along_axis(best, np.argsort(-np.take_along_axis(scores, best, axis=1), axis=1), axis=1)
        return [
            [self._hit(index, of_row[index]) for index in nearest] for nearest, of_row in zip(best, scores, strict=True)
        ]

    def _hit(self, index: int, score: float) -> Hit:
        kept = self._kept[self._ids[index]]
        return Hit(kept.name, float(score), kept.id)

    def _put(self, pictures: Sequence[Kept]) -> None:
        self._erase(Erase(tuple(kept.id for kept in pictures)))
        count = len(self._ids) + len(pictures)
        if count > len(self._rows):
            larger = np.zeros((2 * count, self._dim), np.float32)
            larger[: len(self._ids)] = self._rows[: len(self._ids)]
            self._rows = larger
        for index, kept in enumerate(pictures, start=len(self._ids)):
            self._rows[index] = kept.picture.embedding
            self._kept[kept.id] = kept
            self._ids.append(kept.id)

    def _erase(self, change: Erase) -> None:
        gone = {one for one in change.ids if one in self._kept}
        if not gone:
            return
        stay = [index for index, one in enumerate(self._ids) if one not in gone]
        self._rows[: len(stay)] = self._rows[stay]
        self._ids = [self._ids[index] for index in stay]
        for one in gone:
            del self._kept[one]


def _entry(kept: Kept) -> Entry:
    return Entry(kept.id, kept.name, kept.picture.image_hash, kept.time)
