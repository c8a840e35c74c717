"""A gallery that is too large for a copy: faces are looked up on the cluster, node after node until one answers.

While none does, the local copy answers: whom the cluster has often named here lately, and who was enrolled here
(`regulars`). Changes go the way of every copy, by the journal. After a failure the cluster is not asked for a face
before it has answered the thread that follows it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import chain
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from checkpoints.errors import GalleryAway
from pipeline.clock import now_ns
from pipeline.gallery.copy import MirroredGallery, Pace
from pipeline.gallery.edits import Edited, Entry
from pipeline.gallery.gallery import Kept, Match
from pipeline.gallery.journal import Journal
from pipeline.gallery.regulars import Regulars
from pipeline.gallery.server import QdrantServerGallery

T = TypeVar("T")
# What was changed here a moment ago is waited for, so that it counts at once; a long import is not.
_SOON_TOLD = 8
_SOON_S = 1.0


class FarGallery(MirroredGallery):
    def __init__(
        self,
        local: Edited,
        server: QdrantServerGallery,
        journal: Journal,
        regulars: Regulars,
        pace: Pace | None = None,
    ) -> None:
        self._regulars = regulars
        super().__init__(local, server, journal, regulars, pace)

    def search(self, embeddings: NDArray[np.float32], limit: int = 2) -> list[list[Match]]:
        found = self._there(lambda: self._server.search(embeddings, limit))
        if found is None:
            return super().search(embeddings, limit)
        self._regulars.met(found)
        return found

    def count(self) -> int:
        """Of millions only about: whoever follows the gallery asks for it every few seconds."""
        there = self._there(self._server.about_count)
        return super().count() if there is None else there

    def entries(self, names: Collection[str | None] | None = None) -> Iterator[Entry]:
        there = self._there(lambda: _begun(self._server.entries(names)))
        return super().entries(names) if there is None else there

    def entries_of(self, ids: Collection[str]) -> list[Entry]:
        there = self._there(lambda: self._server.entries_of(ids))
        return super().entries_of(ids) if there is None else there

    def kept_of(self, ids: Sequence[str]) -> list[Kept]:
        there = self._there(lambda: self._server.kept_of(ids))
        return super().kept_of(ids) if there is None else there

    def _there(self, ask: Callable[[], T]) -> T | None:
        """What the cluster says; None: it does not answer."""
        with self._turn:
            if 0 < len(self._journal) <= _SOON_TOLD:
                self._turn.wait_for(lambda: not len(self._journal) or self._failures > 0, _SOON_S)
            if self._failures > 0:
                return None
        try:
            return ask()
        except GalleryAway as error:
            self._failed(error)
            self._regulars.rest(now_ns(), self._pace.first_wait_s)
            with self._turn:
                self._turn.notify_all()
            return None


def _begun(entries: Iterator[Entry]) -> Iterator[Entry]:
    """Asked for the first page at once, so that a cluster that is away is noticed here."""
    first = next(entries, None)
    return iter(()) if first is None else chain([first], entries)
