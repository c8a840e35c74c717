"""All events of the last days, to be searched: what the console and the outlets read.

The file of events is the truth; the store follows it (`reception`) and may be made anew from it.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from checkpoints.sealed import UNSEALED, Seal
from pipeline.outlets.crops import Crops
from pipeline.outlets.database import Database
from pipeline.outlets.stored import LARGEST_ID, Delivery, StoredEvent, Wanted

_COLUMNS = "id, key, run, body"
# A face's crop is made when it or its name is new; the events that repeat the name have it, too.
_NEAREST_CROPS = 8


class Store:
    """In a folder of its own. Safe to share between threads: nothing is held open between two calls."""

    def __init__(self, folder: Path, seal: Seal = UNSEALED) -> None:
        self.database = Database(folder / "events.sqlite")
        self.crops = Crops(folder / "crops", seal)

    def events(self, wanted: Wanted, *, limit: int = 100, newest_first: bool = True) -> list[StoredEvent]:
        condition, values = wanted.as_sql()
        order = "DESC" if newest_first else "ASC"
        query = f"SELECT {_COLUMNS} FROM events WHERE {condition} ORDER BY id {order} LIMIT ?"
        with self.database.reading() as connection:
            return [_event(row) for row in connection.execute(query, [*values, limit])]

    def all(self, wanted: Wanted, *, at_once: int = 1000) -> Iterator[StoredEvent]:
        """For an export: oldest first, without holding anything up however slow the reader is."""
        last = wanted.after or 0
        condition, values = wanted.as_sql()
        query = f"SELECT {_COLUMNS} FROM events WHERE {condition} AND id > ? ORDER BY id LIMIT ?"
        while True:
            with self.database.reading() as connection:
                found = [_event(row) for row in connection.execute(query, [*values, last, at_once])]
            yield from found
            if len(found) < at_once:
                return
            last = found[-1].id

    def count(self, wanted: Wanted) -> int:
        condition, values = wanted.as_sql()
        with self.database.reading() as connection:
            return _number(connection.execute(f"SELECT COUNT(*) FROM events WHERE {condition}", values))

    def event(self, one: int) -> StoredEvent | None:
        if not 0 < one <= LARGEST_ID:
            return None
        with self.database.reading() as connection:
            row = connection.execute(f"SELECT {_COLUMNS} FROM events WHERE id = ?", (one,)).fetchone()
        return None if row is None else _event(row)

    def explained(self, event: StoredEvent) -> StoredEvent | None:
        """The event itself or an earlier one of the same face, in which the evidence was told."""
        return next(iter(self._explaining(event, 1)), None)

    def crop(self, one: int) -> bytes | None:
        """The JPEG of the face; None where there is none, or no such event."""
        event = self.event(one)
        key = None if event is None else self._key_of_crop(event)
        return None if key is None else self.crops.read(key)

    def has_crop(self, event: StoredEvent) -> bool:
        return self._key_of_crop(event) is not None

    def last_id(self) -> int:
        """Grows with each event that is stored."""
        with self.database.reading() as connection:
            return _number(connection.execute("SELECT COALESCE(MAX(id), 0) FROM events"))

    def people(self) -> list[str]:
        """Every name that an event tells."""
        with self.database.reading() as connection:
            found = connection.execute("SELECT DISTINCT name FROM events WHERE name IS NOT NULL ORDER BY name")
            return [str(name) for (name,) in found]

    def deliveries(self) -> list[Delivery]:
        """How far each outlet is."""
        query = (
            "SELECT name, state, said, position, delivered, dropped, "
            "(SELECT COUNT(*) FROM events WHERE id > position) FROM deliveries ORDER BY name"
        )
        with self.database.reading() as connection:
            return [Delivery(*row) for row in connection.execute(query)]

    def _key_of_crop(self, event: StoredEvent) -> str | None:
        """The event's own picture, or the last one of the same face before it, or the face's first."""
        if self.crops.has(event.key):
            return event.key
        earlier = [*self._explaining(event, _NEAREST_CROPS), *self._first_of_face(event)]
        return next((each.key for each in earlier if self.crops.has(each.key)), None)

    def _first_of_face(self, event: StoredEvent) -> list[StoredEvent]:
        query = f"SELECT {_COLUMNS} FROM events WHERE run = ? AND camera = ? AND track = ? ORDER BY id LIMIT 1"
        face = (event.run, event.body.get("camera"), event.body.get("track"))
        with self.database.reading() as connection:
            return [_event(row) for row in connection.execute(query, face)]

    def _explaining(self, event: StoredEvent, most: int) -> list[StoredEvent]:
        """Latest first."""
        query = (
            f"SELECT {_COLUMNS} FROM events WHERE run = ? AND camera = ? AND track = ? AND id <= ? AND told_why "
            "ORDER BY id DESC LIMIT ?"
        )
        face = (event.run, event.body.get("camera"), event.body.get("track"), event.id, most)
        with self.database.reading() as connection:
            return [_event(row) for row in connection.execute(query, face)]


def _event(row: tuple[Any, ...]) -> StoredEvent:
    one, key, run, body = row
    return StoredEvent(one, key, run, json.loads(body))


def _number(found: sqlite3.Cursor) -> int:
    (number,) = found.fetchone()
    return int(number)
