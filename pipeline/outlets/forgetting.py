"""Taking a person out of the store.

`pipeline.erasure` takes it out of the file of events, which is to come first.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from pipeline.erasure import without
from pipeline.events import line_of
from pipeline.outlets.store import Store

# Those that told the name, and those of the same faces that had no name yet.
_BELONGING = (
    "kind = 'identity' AND (name = :name OR (name IS NULL AND EXISTS (SELECT 1 FROM events AS named "
    "WHERE named.name = :name AND named.run = events.run AND named.camera = events.camera "
    "AND named.track = events.track)))"
)


def belonging(store: Store, name: str) -> int:
    """How many events `forget` would erase."""
    with store.database.reading() as connection:
        (count,) = connection.execute(f"SELECT COUNT(*) FROM events WHERE {_BELONGING}", {"name": name}).fetchone()
    return int(count)


def forget(folder: Path, name: str) -> int:
    """Return how many events were erased, with their pictures; what other events say about the name goes, too."""
    if not (folder / "events.sqlite").exists():
        return 0
    store = Store(folder)
    with store.database.writing() as connection:
        found = connection.execute(f"SELECT id, key FROM events WHERE {_BELONGING}", {"name": name}).fetchall()
        # The pictures first: what is cut short here is found again, and an event without a picture is no harm.
        store.crops.erase(key for _, key in found)
        connection.executemany("DELETE FROM events WHERE id = ?", ((one,) for one, _ in found))
        for one, body in list(_mentioning(connection, name)):
            connection.execute("UPDATE events SET body = ? WHERE id = ?", (body, one))
    store.database.forget_erased()
    return len(found)


def _mentioning(connection: sqlite3.Connection, name: str) -> Iterator[tuple[int, str]]:
    """Events of others in which this person was the runner-up or a near one, without it."""
    written = json.dumps(name, ensure_ascii=False)
    query = "SELECT id, body FROM events WHERE told_why AND INSTR(body, ?)"
    for one, body in connection.execute(query, (written,)):
        event = json.loads(body)
        cleaned = line_of(without(event, name)).decode()
        if cleaned != body:
            yield one, cleaned
