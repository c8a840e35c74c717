"""Taking a person out of the store.

`pipeline.erasure` takes it out of the file of events, which is to come first: what is just being read from the file is
stored before the first thing here is erased. A little is done at a time, so that nobody waits long for the store.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path

from pipeline.erasure import Seen, without
from pipeline.event_log import line_of
from pipeline.outlets.store import Store

Face = tuple[int, str, int]  # run, camera, track

_FACES = "SELECT DISTINCT run, camera, track FROM events WHERE name = ? AND kind = 'identity'"
# To a person belong the events that told the name, and those of the same face that had no name yet.
_OF_FACE = "run = ? AND camera = ? AND track = ? AND kind = 'identity' AND (name = ? OR name IS NULL)"
_SEEN = (
    "SELECT DISTINCT run, camera, track FROM events "
    "WHERE kind = 'identity' AND camera = ? AND track = ? AND t >= ? AND t <= ?"
)
_AT_ONCE = 500


def belonging(store: Store, name: str, seen: Sequence[Seen] = ()) -> int:
    """How many events `forget` would erase."""
    with store.database.reading() as connection:
        faces = {*connection.execute(_FACES, (name,)), *_faces_seen(connection, seen)}
        counted = (
            connection.execute(f"SELECT COUNT(*) FROM events WHERE {_OF_FACE}", (*face, name)).fetchone()
            for face in faces
        )
        return sum(count for (count,) in counted)


def forget(folder: Path, name: str, seen: Sequence[Seen] = ()) -> int:
    """Return how many events were erased, with their pictures; what other events say about the name goes, too."""
    if not (folder / "events.sqlite").exists():
        return 0
    store = Store(folder)
    erased = sum(_erase_seen(store, one, name) for one in seen)
    while (count := _erase_a_face(store, name)) is not None:
        erased += count
    with store.database.reading() as connection:
        query = "SELECT id FROM events WHERE told_why AND INSTR(body, ?)"
        mentioning = [one for (one,) in connection.execute(query, (json.dumps(name, ensure_ascii=False),))]
    for start in range(0, len(mentioning), _AT_ONCE):
        with store.database.writing() as connection:
            _clean(connection, mentioning[start : start + _AT_ONCE], name)
    store.database.forget_erased()
    return erased


def _erase_a_face(store: Store, name: str) -> int | None:
    """None when nothing is left."""
    with store.database.writing() as connection:
        face = connection.execute(f"{_FACES} LIMIT 1", (name,)).fetchone()
        if face is None:
            return None
        found = connection.execute(f"SELECT id, key FROM events WHERE {_OF_FACE}", (*face, name)).fetchall()
        if not found:  # an event without a camera or track
            query = "SELECT id, key FROM events WHERE name = ? AND (camera IS NULL OR track IS NULL)"
            found = connection.execute(query, (name,)).fetchall()
        _delete(connection, store, found)
    return len(found)


def _erase_seen(store: Store, seen: Seen, name: str) -> int:
    count = 0
    with store.database.writing() as connection:
        for face in _faces_seen(connection, [seen]):
            found = connection.execute(f"SELECT id, key FROM events WHERE {_OF_FACE}", (*face, name)).fetchall()
            _delete(connection, store, found)
            count += len(found)
    return count


def _faces_seen(connection: sqlite3.Connection, seen: Sequence[Seen]) -> list[Face]:
    return [
        face
        for one in seen
        for face in connection.execute(_SEEN, (one.camera, one.track, one.first, one.last)).fetchall()
    ]


def _delete(connection: sqlite3.Connection, store: Store, found: Sequence[tuple[int, str]]) -> None:
    """The pictures first: what is cut short here is found again, and an event without a picture is no harm."""
    store.crops.erase(key for _, key in found)
    connection.executemany("DELETE FROM events WHERE id = ?", ((one,) for one, _ in found))


def _clean(connection: sqlite3.Connection, ids: Iterable[int], name: str) -> None:
    """Events of others in which this person was the runner-up or a near one."""
    for one in ids:
        row = connection.execute("SELECT body FROM events WHERE id = ?", (one,)).fetchone()
        if row is not None:
            cleaned = line_of(without(json.loads(row[0]), name)).decode()
            connection.execute("UPDATE events SET body = ? WHERE id = ?", (cleaned, one))
