"""The SQLite file of the store: its tables, and connections that are used again.

Any process and thread may ask at any time; the log that is written ahead lets readers go on while somebody writes.
What is deleted is overwritten, because people ask for their events to be erased.
"""

from __future__ import annotations

import sqlite3
import weakref
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from checkpoints.errors import OutputError

_VERSION = 1
_BUSY_S = 5.0  # less than what a process may be silent for
_CACHE_KB = 512  # of pages for each connection; the system keeps them too
_MOST_IDLE = 4
_TABLES = """
CREATE TABLE IF NOT EXISTS events (
    id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE, run INTEGER NOT NULL, kind TEXT NOT NULL,
    camera TEXT, track INTEGER, name TEXT, state TEXT, t TEXT NOT NULL, told_why INTEGER NOT NULL, body TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS by_name ON events (name, id) WHERE name IS NOT NULL;
CREATE INDEX IF NOT EXISTS by_camera ON events (camera, id);
CREATE INDEX IF NOT EXISTS by_time ON events (t);
CREATE INDEX IF NOT EXISTS by_face ON events (run, camera, track, id) WHERE track IS NOT NULL;
CREATE TABLE IF NOT EXISTS logs (
    path TEXT PRIMARY KEY, inode INTEGER NOT NULL, offset INTEGER NOT NULL, anchor TEXT NOT NULL, run INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS deliveries (
    name TEXT PRIMARY KEY, state TEXT NOT NULL, said TEXT NOT NULL, position INTEGER NOT NULL,
    delivered INTEGER NOT NULL, dropped INTEGER NOT NULL
);
"""


class Database:
    """Made where there is none. OutputError when it cannot be used."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._idle: deque[sqlite3.Connection] = deque()
        weakref.finalize(self, _close_all, self._idle)
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            path.parent.chmod(0o700)
            path.touch(mode=0o600)
            with self._open() as connection:
                _prepare(connection, path)
        except (OSError, sqlite3.Error) as error:
            raise self._unusable(error) from error

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """What is read in it belongs together."""
        with self._open() as connection:
            connection.execute("BEGIN")
            yield connection
            connection.execute("COMMIT")

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """All of it or nothing is kept; others who write wait meanwhile."""
        with self._open() as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.execute("COMMIT")

    def forget_erased(self) -> None:
        """Nothing of what was deleted stays in the log that is written ahead, unless somebody reads just now."""
        with self._open() as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """One for whoever asks, kept for the next. What goes wrong half-way is given up with its connection."""
        try:
            connection = self._idle_one() or _connect(self.path)
            try:
                yield connection
            except BaseException:
                connection.close()
                raise
        except sqlite3.Error as error:
            raise self._unusable(error) from error
        if len(self._idle) < _MOST_IDLE:
            self._idle.append(connection)
        else:
            connection.close()

    def _idle_one(self) -> sqlite3.Connection | None:
        try:
            return self._idle.pop()
        except IndexError:
            return None

    def _unusable(self, error: OSError | sqlite3.Error) -> OutputError:
        return OutputError(
            "The store of events cannot be used.",
            saw=f"{self.path}: {error}",
            fix="see that the disk has room and the files are yours; a damaged store may be moved away, "
            "it is made anew from the file of events",
        )


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA secure_delete=ON")
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute(f"PRAGMA cache_size=-{_CACHE_KB}")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _close_all(connections: deque[sqlite3.Connection]) -> None:
    while connections:
        connections.pop().close()


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    connection.execute("PRAGMA journal_mode=WAL")
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version not in (0, _VERSION):
        raise OutputError(
            "The store of events is of another version of this program.",
            saw=f"{path}: version {version}, this program knows {_VERSION}",
            fix="use the newer program, or move the file away",
        )
    if version == 0:
        connection.executescript(f"BEGIN IMMEDIATE; {_TABLES} PRAGMA user_version={_VERSION}; COMMIT;")
