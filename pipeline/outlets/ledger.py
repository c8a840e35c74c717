"""How far one outlet is, kept in the store: whoever is started again goes on where it was.

An event is settled after the receiver has it. Who dies between the two tells it again, and nothing is left out.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from pipeline.outlets.database import Database
from pipeline.outlets.stored import StoredEvent


class Ledger:
    """is_told_all  also an outlet that is new is told of what was stored before it"""

    def __init__(self, database: Database, name: str, *, is_told_all: bool = False) -> None:
        self._database = database
        self._name = name
        self._is_told_all = is_told_all

    def begin(self) -> None:
        """An outlet that is new is told of what comes, not of what was, unless it is told all."""
        first = "0" if self._is_told_all else "(SELECT COALESCE(MAX(id), 0) FROM events)"
        query = (
            "INSERT INTO deliveries (name, state, said, position, delivered, dropped) "
            f"VALUES (?, 'starting', '', {first}, 0, 0) "
            "ON CONFLICT (name) DO UPDATE SET state = 'starting', said = ''"
        )
        with self._database.writing() as connection:
            connection.execute(query, (self._name,))

    def waiting(self, most: int) -> list[StoredEvent]:
        """The next ones, oldest first. Asked for each time anew, for what is erased must not be told any more."""
        query = (
            "SELECT id, key, run, body FROM events WHERE id > (SELECT position FROM deliveries WHERE name = ?) "
            "ORDER BY id LIMIT ?"
        )
        with self._database.reading() as connection:
            rows = connection.execute(query, (self._name, most)).fetchall()
        return [StoredEvent(one, key, run, json.loads(body)) for one, key, run, body in rows]

    def settle(self, events: Sequence[StoredEvent], *, delivered: bool) -> None:
        column = "delivered" if delivered else "dropped"
        query = f"UPDATE deliveries SET position = MAX(position, ?), {column} = {column} + ? WHERE name = ?"
        with self._database.writing() as connection:
            connection.execute(query, (events[-1].id, len(events), self._name))

    def say(self, state: str, said: str = "") -> None:
        """state  starting, well, away, ended"""
        query = "UPDATE deliveries SET state = ?, said = ? WHERE name = ?"
        with self._database.writing() as connection:
            connection.execute(query, (state, said, self._name))
