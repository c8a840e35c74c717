"""The one store of the fleet: each event of each camera once, however often it is posted.

The newest run of a camera is believed. When a machine that was thought lost is only cut off, its run goes on beside
the one that was begun elsewhere; from the first event of the newer run on, the older one is not listened to.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta, timezone
from hashlib import sha256
from pathlib import Path
from typing import Any

from app.fleet.barred import Barred, barred_in, checksum, without_all
from pipeline.clock import utc_iso
from pipeline.erasure import Seen
from pipeline.event_log import line_of
from pipeline.outlets.forgetting import forget
from pipeline.outlets.keeping import event_of, face_of, keep
from pipeline.outlets.retention import Retention
from pipeline.outlets.store import Store
from pipeline.outlets.stored import written

_RUNS = (
    "CREATE TABLE IF NOT EXISTS runs (camera TEXT NOT NULL, run TEXT NOT NULL, first TEXT NOT NULL, "
    "PRIMARY KEY (camera, run))"
)
_TABLES = (
    _RUNS,
    "CREATE TABLE IF NOT EXISTS forgotten (name_sha256 TEXT PRIMARY KEY, until TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS machines (address TEXT PRIMARY KEY, last TEXT NOT NULL)",
)
_FIRST = (
    "INSERT INTO runs (camera, run, first) VALUES (?, ?, ?) "
    "ON CONFLICT (camera, run) DO UPDATE SET first = excluded.first"
)
# What comes last may be late: the newest of the last thousand is told.
_LAST = "SELECT MAX(t) FROM (SELECT t FROM events WHERE camera = ? AND kind = 'identity' ORDER BY id DESC LIMIT 1000)"
# By the index of times: little has come since, but a camera may have told a lot before.
_SINCE = "SELECT id, run FROM events WHERE t >= ? AND +camera = ? AND kind = 'identity'"
_NAMELESS = "DELETE FROM events WHERE run = ? AND camera = ? AND track = ? AND name IS NULL AND kind = 'identity'"
# Cameras ask the gallery's server every 20 s what others have changed there: so long they may still tell a name.
_STILL_TOLD = timedelta(minutes=1)


@dataclass(slots=True)
class Counts:
    """Since the fleet's control was started.

    stored     new events
    again      were stored before
    overlaps   of a run that a newer one has replaced
    unfit      no events
    forgotten  of somebody who was forgotten
    """

    stored: int = 0
    again: int = 0
    overlaps: int = 0
    unfit: int = 0
    forgotten: int = 0

    def add(self, other: Counts) -> None:
        for one in fields(self):
            setattr(self, one.name, getattr(self, one.name) + getattr(other, one.name))


class Collecting:
    """The store is one like that of a single machine, so all that reads one can read it (`pipeline.outlets.store`).

    Bodies have two keys more than on the cameras' machines: `run`, the run's mark, and `uid`.
    """

    def __init__(self, folder: Path) -> None:
        self.store = Store(folder)
        self.counts = Counts()
        self._folder = folder
        self._days = 0.0
        self._retention: Retention | None = None
        self._lock = threading.Lock()  # of the counts and the last moments
        with self.store.database.writing() as connection:
            for table in _TABLES:
                connection.execute(table)
            self._last = _last_of_cameras(connection)

    def take(self, body: bytes) -> int:
        """Lines of JSON, all of them kept when this returns; how many are new."""
        with self.store.database.writing() as connection:
            taking = _Taking(connection)
            for line in body.splitlines():
                taking.take(line)
        with self._lock:
            self.counts.add(taking.counts)
            for camera, t in taking.last.items():
                self._last[camera] = max(t, self._last.get(camera, ""))
        return taking.counts.stored

    def expire(self, days: float) -> int:
        """To be called often; how many events were erased because they are older."""
        if self._retention is None or days != self._days:
            self._days, self._retention = days, Retention(self.store, self._folder / "events.jsonl", days)
        return self._retention.tick()

    def bar(self, name: str) -> None:
        """What is told of this name later, but is of before, is not kept."""
        until = written(datetime.now(timezone.utc) + _STILL_TOLD)
        with self.store.database.writing() as connection:
            connection.execute("INSERT OR REPLACE INTO forgotten VALUES (?, ?)", (checksum(name), until))

    def barred(self) -> list[Barred]:
        with self.store.database.reading() as connection:
            return [Barred(*row) for row in connection.execute("SELECT name_sha256, until FROM forgotten")]

    def forget(self, name: str, seen: Sequence[Seen]) -> int:
        """How many events of this person were erased. seen: where it was before it had the name"""
        return forget(self._folder, name, seen)

    def last_of_cameras(self) -> Mapping[str, str]:
        """Camera → the moment of its last event."""
        with self._lock:
            return dict(self._last)

    def meet(self, addresses: Collection[str]) -> None:
        """Machines that are a part of the fleet now."""
        now = utc_iso()
        with self.store.database.writing() as connection:
            query = "INSERT OR REPLACE INTO machines VALUES (?, ?)"
            connection.executemany(query, [(address, now) for address in sorted(addresses)])

    def met(self) -> dict[str, str]:
        """Machine → when it was last met."""
        with self.store.database.reading() as connection:
            return dict(connection.execute("SELECT address, last FROM machines ORDER BY address").fetchall())


def run_number(run: str) -> int:
    """What the store calls a run: the same for the same mark."""
    return int.from_bytes(sha256(run.encode()).digest()[:7], "big")


def _last_of_cameras(connection: sqlite3.Connection) -> dict[str, str]:
    cameras = [camera for (camera,) in connection.execute("SELECT DISTINCT camera FROM runs")]
    found = {camera: connection.execute(_LAST, (camera,)).fetchone()[0] for camera in cameras}
    return {camera: t for camera, t in found.items() if t is not None}


class _Taking:
    """Lines that were posted together. last: camera → the moment of its last event among them"""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.counts = Counts()
        self.last: dict[str, str] = {}
        self._connection = connection
        self._barred_until = dict(connection.execute("SELECT name_sha256, until FROM forgotten").fetchall())

    def take(self, line: bytes) -> None:
        event = _posted(line)
        if event is None:
            self.counts.unfit += 1
            return
        run, camera, t = event["run"], event.get("camera"), event["t"]
        if isinstance(camera, str) and event["type"] == "identity":
            self._note_first(camera, run, t)
            if self._is_replaced(camera, run, t):
                self.counts.overlaps += 1
                return
            self.last[camera] = max(t, self.last.get(camera, ""))
        barred = barred_in(event, self._barred_until) if self._barred_until else set()
        if event.get("name") in barred:
            self._drop(event)
        else:
            self._keep(event, line_of(without_all(event, barred)) if barred else line)

    def _keep(self, event: dict[str, Any], line: bytes) -> None:
        is_new = keep(self._connection, event, line, key=event["uid"], run=run_number(event["run"]))
        self.counts.stored += is_new
        self.counts.again += not is_new

    def _drop(self, event: dict[str, Any]) -> None:
        """With what was told of the same face while it had no name yet."""
        self._connection.execute(_NAMELESS, (run_number(event["run"]), *face_of(event)))
        self.counts.forgotten += 1

    def _note_first(self, camera: str, run: str, t: str) -> None:
        """What an older run has told of what comes after is told twice, then."""
        query = "SELECT first FROM runs WHERE camera = ? AND run = ?"
        known = self._connection.execute(query, (camera, run)).fetchone()
        if known is not None and known[0] <= t:
            return
        self._connection.execute(_FIRST, (camera, run, t))
        query = "SELECT run FROM runs WHERE camera = ? AND run < ?"
        older = {run_number(one) for (one,) in self._connection.execute(query, (camera, run))}
        told = self._connection.execute(_SINCE, (t, camera)).fetchall() if older else []
        twice = [(one,) for one, number in told if number in older]
        self._connection.executemany("DELETE FROM events WHERE id = ?", twice)
        self.counts.overlaps += len(twice)

    def _is_replaced(self, camera: str, run: str, t: str) -> bool:
        """Marks begin with the moment of their run's start, so they sort as the runs do."""
        query = "SELECT 1 FROM runs WHERE camera = ? AND run > ? AND first <= ? LIMIT 1"
        return self._connection.execute(query, (camera, run, t)).fetchone() is not None


def _posted(line: bytes) -> dict[str, Any] | None:
    """None for what no camera of a fleet would have posted."""
    event = event_of(line)
    is_whole = event is not None and isinstance(event.get("run"), str) and isinstance(event.get("uid"), str)
    return event if is_whole else None
