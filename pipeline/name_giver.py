"""Names that were typed into the window are given at the gallery's desk, by a thread: the window does not wait."""

from __future__ import annotations

import queue
import threading
from pathlib import Path

from checkpoints.errors import UserError
from pipeline.gallery.desk_client import ask_desk
from pipeline.view import GiveName


class NameGiver:
    """folder  of the gallery, which the stage lookup holds"""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._told: queue.SimpleQueue[str] = queue.SimpleQueue()

    def give(self, wish: GiveName) -> None:
        threading.Thread(target=self._give, args=(wish,), name="naming", daemon=True).start()

    def told(self) -> str | None:
        """What came of it, once; None as long as nothing has."""
        try:
            return self._told.get_nowait()
        except queue.Empty:
            return None

    def _give(self, wish: GiveName) -> None:
        try:
            self._told.put(self._asked(wish))
        except UserError as error:
            self._told.put(". ".join(part.rstrip(".") for part in (error.what, error.saw, error.fix) if part))

    def _asked(self, wish: GiveName) -> str:
        desk = ask_desk(self._folder)
        if desk is None:
            return "The gallery does not answer; try again"
        try:
            known = {person.name.casefold(): person.name for person in desk.people()}
            name = known.get(wish.name.casefold(), wish.name)  # the window's keys know no capitals everywhere
            count = desk.name_face(wish.face.camera, wish.face.track, name)
        finally:
            desk.close()
        return f"{name}: {count} new {'picture' if count == 1 else 'pictures'} of this face"
