"""The one store of the fleet: each event of each camera once, however often it is posted.

The newest run of a camera is believed. When a machine that was thought lost is only cut off, its run goes on beside
the one that was begun elsewhere; from the first event of the newer run on, the older one is not listened to.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from pipeline.erasure import Seen
from pipeline.outlets.forgetting import forget
from pipeline.outlets.retention import Retention
from pipeline.outlets.store import Store

_RUNS = (
    "CREATE TABLE IF NOT EXISTS runs (camera TEXT NOT NULL, run TEXT NOT NULL, first TEXT NOT NULL, "
    "PRIMARY KEY (camera, run))"
)
_INSERT = (
    "INSERT OR IGNORE INTO events (key, run, kind, camera, track, name, state, t, told_why, body) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_FIRST = (
    "INSERT INTO runs (camera, run, first) VALUES (?, ?, ?) "
    "ON CONFLICT (camera, run) DO UPDATE SET first = MIN(first, excluded.first)"
)


@dataclass(slots=True)
class Counts:
    """Since the fleet's control was started.

    stored    new events
    again     were stored before
    overlaps  of a run that a newer one has replaced
    unfit     no events
    """

    stored: int = 0
    again: int = 0
    overlaps: int = 0
    unfit: int = 0


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
        with self.store.database.writing() as connection:
            connection.execute(_RUNS)

    def take(self, body: bytes) -> int:
        """Lines of JSON, all of them kept when this returns; how many are new."""
        counts = Counts()
        with self.store.database.writing() as connection:
            for line in body.splitlines():
                _keep(connection, line, counts)
        self.counts.stored += counts.stored
        self.counts.again += counts.again
        self.counts.overlaps += counts.overlaps
        self.counts.unfit += counts.unfit
        return counts.stored

    def expire(self, days: float) -> int:
        """To be called often; how many events were erased because they are older."""
        if self._retention is None or days != self._days:
            self._days, self._retention = days, Retention(self.store, self._folder / "events.jsonl", days)
        return self._retention.tick()

    def forget(self, name: str, seen: Sequence[Seen]) -> int:
        """How many events of this person were erased. seen: where it was before it had the name"""
        return forget(self._folder, name, seen)

    def last_of_cameras(self) -> Mapping[str, str]:
        """Camera → the moment of its last event."""
        with self.store.database.reading() as connection:
            found = connection.execute("SELECT camera, MAX(t) FROM events WHERE kind = 'identity' GROUP BY camera")
            return dict(found.fetchall())


def run_number(run: str) -> int:
    """What the store calls a run: the same for the same mark."""
    return int.from_bytes(sha256(run.encode()).digest()[:7], "big")


def _keep(connection: sqlite3.Connection, line: bytes, counts: Counts) -> None:
    event = _parsed(line)
    if event is None:
        counts.unfit += 1
        return
    run, camera, t = event["run"], event.get("camera"), event["t"]
    if isinstance(camera, str) and event["type"] == "identity":
        connection.execute(_FIRST, (camera, run, t))
        if _is_replaced(connection, camera, run, t):
            counts.overlaps += 1
            return
    new = connection.execute(_INSERT, _row(event, line)).rowcount
    counts.stored += new
    counts.again += 1 - new


def _is_replaced(connection: sqlite3.Connection, camera: str, run: str, t: str) -> bool:
    """Marks begin with the moment of their run's start, so they sort as the runs do."""
    query = "SELECT 1 FROM runs WHERE camera = ? AND run > ? AND first <= ? LIMIT 1"
    return connection.execute(query, (camera, run, t)).fetchone() is not None


def _row(event: Mapping[str, Any], line: bytes) -> tuple[object, ...]:
    def text(name: str) -> str | None:
        value = event.get(name)
        return value if isinstance(value, str) else None

    track = event.get("track")
    has_track = isinstance(track, int) and abs(track) < 2**63
    return (
        event["uid"],
        run_number(event["run"]),
        event["type"],
        text("camera"),
        track if has_track else None,
        text("name"),
        text("state"),
        event["t"],
        "why" in event,
        line.decode(),
    )


def _parsed(line: bytes) -> dict[str, Any] | None:
    """None for what no camera of a fleet would have posted."""
    try:
        event = json.loads(line)
    except ValueError:
        return None
    is_whole = isinstance(event, dict) and all(isinstance(event.get(key), str) for key in ("type", "t", "run", "uid"))
    return event if is_whole else None
