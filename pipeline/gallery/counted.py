"""A gallery that counts the changes that are made through it, so that its holder notices what a desk has done."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.gallery.edits import Change, Edited, Entry
from pipeline.gallery.gallery import Health, Kept, Match


class CountedGallery(Edited):
    def __init__(self, gallery: Edited) -> None:
        super().__init__(space=gallery.space, dim=gallery.dim)
        self._gallery = gallery
        self.changes = 0

    def apply(self, change: Change) -> None:
        self._gallery.apply(change)
        self.changes += 1

    def count(self) -> int:
        return self._gallery.count()

    def entries(self, names: Collection[str | None] | None = None) -> Iterator[Entry]:
        return self._gallery.entries(names)

    def entries_of(self, ids: Collection[str]) -> list[Entry]:
        return self._gallery.entries_of(ids)

    def kept_of(self, ids: Sequence[str]) -> list[Kept]:
        return self._gallery.kept_of(ids)

    def search(self, embeddings: NDArray[np.float32], limit: int = 2) -> list[list[Match]]:
        return self._gallery.search(embeddings, limit)

    def health(self) -> Health:
        return self._gallery.health()

    def close(self) -> None:
        self._gallery.close()
