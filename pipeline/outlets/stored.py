"""What the store of events is asked, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from hashlib import sha256
from typing import Any

LARGEST_ID = 2**63 - 1  # of SQLite


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """id    counts all events that ever were stored: later ones have larger ids
    key   the same for an event that is stored, or passed on, twice
    run   counts the runs of the program, as far as they ended in order
    body  the event as its line in the file says it
    """

    id: int
    key: str
    run: int
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which events; None leaves a choice open.

    kind           identity, camera, stage, gallery, end
    state          known, unknown, undecided; of cameras up, lost, reconnecting
    since, until   with a time zone; `until` itself is not included
    after, before  ids: only later ones, only earlier ones
    """

    person: str | None = None
    camera: str | None = None
    state: str | None = None
    kind: str | None = "identity"
    since: datetime | None = None
    until: datetime | None = None
    after: int | None = None
    before: int | None = None

    def as_sql(self) -> tuple[str, list[object]]:
        """The condition, and its values."""
        moments = [None if moment is None else written(moment) for moment in (self.since, self.until)]
        chosen: list[tuple[str, object]] = [
            ("name = ?", self.person),
            ("camera = ?", self.camera),
            ("state = ?", self.state),
            ("kind = ?", self.kind),
            ("t >= ?", moments[0]),
            ("t < ?", moments[1]),
            ("id > ?", None if self.after is None else min(max(self.after, 0), LARGEST_ID)),
            ("id < ?", None if self.before is None else min(max(self.before, 0), LARGEST_ID)),
        ]
        used = [(condition, value) for condition, value in chosen if value is not None]
        return " AND ".join(condition for condition, _ in used) or "1", [value for _, value in used]


@dataclass(frozen=True, slots=True)
class Delivery:
    """How far an outlet is.

    state      starting, well, away, ended
    said       what is wrong, for people
    position   id of the last event that is settled: delivered or dropped
    dropped    refused by the receiver for good, or too old before it came back
    waiting    stored and not settled yet
    """

    name: str
    state: str
    said: str
    position: int
    delivered: int
    dropped: int
    waiting: int

    @property
    def offered(self) -> int:
        return self.delivered + self.dropped + self.waiting


def key_of(event: Mapping[str, Any], line: bytes) -> str:
    """Stays the same when somebody else's name is erased from the line."""
    one, moment = event.get("id"), event.get("t")
    if event.get("type") == "identity" and isinstance(one, str) and isinstance(moment, str):
        return f"{one}@{moment}"
    return sha256(line).hexdigest()[:40]


def written(moment: datetime) -> str:
    """As events have it."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment} has no time zone")
    return moment.astimezone(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
