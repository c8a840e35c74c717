"""One line into the table of events, wherever it comes from: the file of a run, or a camera of a fleet."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any

from checkpoints import json_text

_INSERT = (
    "INSERT OR IGNORE INTO events (key, run, kind, camera, track, name, state, t, told_why, body) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)


def event_of(line: bytes) -> dict[str, Any] | None:
    """None for what is no event: the half line of a writer that was killed, or what people have written there."""
    try:
        event = json_text.read(line)
    except ValueError:
        return None
    if not isinstance(event, dict) or not isinstance(event.get("type"), str) or not isinstance(event.get("t"), str):
        return None
    return event


def keep(connection: sqlite3.Connection, event: Mapping[str, Any], line: bytes, *, key: str, run: int) -> bool:
    """False when an event of this key is there already."""
    camera, track = face_of(event)
    row = (key, run, event["type"], camera, track, _text(event, "name"), _text(event, "state"), event["t"])
    return connection.execute(_INSERT, (*row, "why" in event, line.decode())).rowcount > 0


def face_of(event: Mapping[str, Any]) -> tuple[str | None, int | None]:
    """Camera and track, as the table has them."""
    track = event.get("track")
    has_track = isinstance(track, int) and abs(track) < 2**63
    return _text(event, "camera"), track if has_track else None


def _text(event: Mapping[str, Any], name: str) -> str | None:
    value = event.get(name)
    return value if isinstance(value, str) else None
