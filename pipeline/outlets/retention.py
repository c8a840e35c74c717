"""Events that are too old are erased: from the store with their pictures, and with the older parts of their file."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from pipeline.clock import now_ns
from pipeline.expiry import erase_older, erase_parts, not_erased
from pipeline.hours import Hours
from pipeline.outlets.store import Store
from pipeline.outlets.stored import written

_AT_ONCE = 2000


class Retention:
    """wall_s  seconds since 1970, as far as anybody knows"""

    def __init__(
        self,
        store: Store,
        log: Path,
        days: float,
        *,
        wall_s: Callable[[], float] = time.time,
        clock_ns: Callable[[], int] = now_ns,
    ) -> None:
        self._store = store
        self._log = log
        self._days = days
        self._hours = Hours(wall_s=wall_s, clock_ns=clock_ns)

    @property
    def oldest(self) -> str:
        """What is older than this is not kept."""
        return written(self._hours.now() - timedelta(days=self._days))

    def tick(self) -> int:
        """To be called often; how many events were erased."""
        if not self._hours.strike():
            return 0
        now = self._hours.now()
        try:
            erase_parts(self._log, self._days, now)
            erase_older(self._store.crops.files(), self._days, now)
        except OSError as error:
            raise not_erased(error) from error
        return self._drop_events()

    def _drop_events(self) -> int:
        """A few at a time: whoever wants to write meanwhile waits only for those."""
        total, oldest = 0, self.oldest
        while True:
            with self._store.database.writing() as connection:
                query = "SELECT id, key FROM events WHERE t < ? ORDER BY id LIMIT ?"
                found = connection.execute(query, (oldest, _AT_ONCE)).fetchall()
                self._store.crops.erase(key for _, key in found)
                for one, _ in found:
                    connection.execute("UPDATE deliveries SET dropped = dropped + 1 WHERE position < ?", (one,))
                    connection.execute("DELETE FROM events WHERE id = ?", (one,))
            total += len(found)
            if len(found) < _AT_ONCE:
                return total
