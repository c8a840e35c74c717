"""From the file of events into the store: each event once, whatever happens to either of them.

Events and the place in the file are kept together or not at all. The file is read while the store is locked, so who
takes somebody out of the file first, and out of the store then, has erased everything.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from checkpoints.errors import OutputError
from pipeline.outlets.following import Place, Read, read_on
from pipeline.outlets.keeping import event_of, keep
from pipeline.outlets.store import Store
from pipeline.outlets.stored import key_of
from pipeline.parts import all_parts

Signs = tuple[tuple[int, int], ...]
_PLACE = "INSERT OR REPLACE INTO logs (path, inode, offset, anchor, run) VALUES (?, ?, ?, ?, ?)"


class Reception:
    def __init__(self, store: Store, log: Path) -> None:
        self._store = store
        self._log = log.absolute()
        self._seen: Signs | None = None

    def take_all(self, oldest: str = "") -> int:
        """How many events are new. `oldest`: when the file has to be read again, what is older was stored already."""
        signs = self._signs()
        if signs == self._seen:
            return 0
        total = 0
        while (taken := self._take(oldest)) is not None:
            total += taken
        self._seen = signs
        return total

    def _take(self, oldest: str) -> int | None:
        """Of the next lines; None when there are no more."""
        with self._store.database.writing() as connection:
            place, run = self._place(connection)
            try:
                read = read_on(self._log, place)
            except OSError as error:
                raise OutputError(
                    "The events cannot be read.", saw=f"{self._log}: {error.strerror}", fix="see that the file is yours"
                ) from error
            if not read.lines or read.place is None:
                return None
            before = connection.total_changes
            run = _keep(connection, read, run, oldest)
            taken = connection.total_changes - before
            at = read.place
            connection.execute(_PLACE, (str(self._log), at.inode, at.offset, at.anchor, run))
        return taken

    def _place(self, connection: sqlite3.Connection) -> tuple[Place | None, int]:
        query = "SELECT inode, offset, anchor, run FROM logs WHERE path = ?"
        row = connection.execute(query, (str(self._log),)).fetchone()
        if row is None:
            (run,) = connection.execute("SELECT COALESCE(MAX(run) + 1, 0) FROM events").fetchone()
            return None, run
        return Place(*row[:3]), row[3]

    def _signs(self) -> Signs:
        """Others as soon as there is something to read."""
        signs = []
        for path in all_parts(self._log):
            try:
                found = path.stat()
            except FileNotFoundError:
                continue
            signs.append((found.st_ino, found.st_size))
        return tuple(signs)


def _keep(connection: sqlite3.Connection, read: Read, run: int, oldest: str) -> int:
    """The run that the next line belongs to."""
    for line in read.lines:
        event = event_of(line)
        if event is None or (read.anew and event["t"] < oldest):
            continue
        is_new = keep(connection, event, line, key=key_of(event, line), run=run)
        run += is_new and event["type"] == "end"
    return run
