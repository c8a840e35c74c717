"""A gallery that lives as long as its process."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.clock import utc_iso
from pipeline.gallery.gallery import Match, Person, Picture
from pipeline.gallery.intake import fresh, unit_rows
from pipeline.gallery.ranking import ranked


class MemoryGallery:
    """Searches by one product of matrices."""

    def __init__(self, *, space: str, dim: int) -> None:
        self._space = space
        self._dim = dim
        self._names: list[str] = []
        self._hashes: list[str] = []
        self._times: list[str] = []
        self._embeddings = np.zeros((0, dim), np.float32)

    @property
    def space(self) -> str:
        return self._space

    def add(self, name: str, pictures: Sequence[Picture]) -> int:
        known = {one for owner, one in zip(self._names, self._hashes, strict=True) if owner == name}
        taken = fresh(name, pictures, known, space=self._space, dim=self._dim)
        if taken:
            self._names += [name] * len(taken)
            self._hashes += [picture.image_hash for picture in taken]
            self._times += [utc_iso()] * len(taken)
            self._embeddings = np.vstack([self._embeddings, *(picture.embedding for picture in taken)])
        return len(taken)

    def people(self) -> list[Person]:
        times: dict[str, list[str]] = {}
        for name, time in zip(self._names, self._times, strict=True):
            times.setdefault(name, []).append(time)
        return [Person(name, len(of_name), min(of_name)) for name, of_name in sorted(times.items())]

    def delete(self, name: str) -> int:
        kept = [index for index, owner in enumerate(self._names) if owner != name]
        erased = len(self._names) - len(kept)
        self._names = [self._names[index] for index in kept]
        self._hashes = [self._hashes[index] for index in kept]
        self._times = [self._times[index] for index in kept]
        self._embeddings = self._embeddings[kept]
        return erased

    def search(self, embeddings: NDArray[np.float32], limit: int = 2) -> list[list[Match]]:
        rows = unit_rows(embeddings, space=self._space, dim=self._dim)
        scores = rows @ self._embeddings.T
        return [
            ranked(zip(self._names, of_row, strict=True), limit) if row.any() else []
            for row, of_row in zip(rows, scores, strict=True)
        ]

    def close(self) -> None:
        """Nothing to give back."""
