"""The gallery of the run: held by the stage lookup, asked at its desk, by one request at a time.

The console never opens the gallery itself: it would lock the stage out that is about to.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from checkpoints.errors import GalleryAway, GalleryError
from pipeline.gallery.desk_client import DeskGallery, ask_desk


class HeldGallery:
    """Safe to share between threads. The connection is kept from one request to the next."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.Lock()
        self._desk: DeskGallery | None = None

    @contextmanager
    def __call__(self) -> Iterator[DeskGallery]:
        """GalleryAway while nobody holds it."""
        with self._lock:
            desk = self._current()
            try:
                yield desk
            except GalleryError:
                self._forget()  # the line may be broken; the next request calls anew
                raise

    def close(self) -> None:
        with self._lock:
            self._forget()

    def _current(self) -> DeskGallery:
        if self._desk is not None and self._desk.gone:
            self._forget()  # the stage that held it was started again
        if self._desk is None:
            self._desk = ask_desk(self.folder)
        if self._desk is None:
            raise GalleryAway(
                "The gallery cannot be asked just now.",
                saw="the process that holds it is starting, or has ended",
                fix="try again in a few seconds",
            )
        return self._desk

    def _forget(self) -> None:
        if self._desk is not None:
            self._desk.close()
            self._desk = None
