"""Events and their pictures are erased when they are too old: from the store, and with the older parts of their file.

A clock that leaps forward would make everything old at once, so after a leap nothing is erased for a day.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from pathlib import Path

from checkpoints import json_text
from checkpoints.errors import OutputError
from pipeline.clock import now_ns
from pipeline.outlets.store import Store
from pipeline.outlets.stored import written
from pipeline.parts import older_parts, rotate

_EVERY_NS = 3600 * 10**9
_LEAP_S = 3600.0
_CALM_NS = 86_400 * 10**9
_AT_ONCE = 2000
_LONGEST_PART = timedelta(days=1)


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
        self._wall_s = wall_s
        self._clock_ns = clock_ns
        self._ahead_s = wall_s() - clock_ns() / 1e9
        self._next_ns = clock_ns()

    @property
    def oldest(self) -> str:
        """What is older than this is not kept."""
        return written(self._now() - timedelta(days=self._days))

    def tick(self) -> int:
        """To be called often; how many events were erased."""
        now = self._clock_ns()
        ahead_s = self._wall_s() - now / 1e9
        if ahead_s - self._ahead_s > _LEAP_S:
            self._next_ns = now + _CALM_NS
        self._ahead_s = ahead_s
        if now < self._next_ns:
            return 0
        self._next_ns = now + _EVERY_NS
        try:
            self._drop_files()
        except OSError as error:
            raise OutputError(
                "Events that are too old cannot be erased.",
                saw=f"{error.filename}: {error.strerror}",
                fix="see that the files are yours",
            ) from error
        return self._drop_events()

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._wall_s(), timezone.utc)

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

    def _drop_files(self) -> None:
        before_s = self._wall_s() - self._days * 86400
        if self._log.is_file() and self._begins_before(self._now() - min(_LONGEST_PART, timedelta(days=self._days))):
            rotate(self._log, least_bytes=1)
        for path in [*older_parts(self._log), *self._store.crops.files()]:
            with suppress(FileNotFoundError):  # somebody has erased a person meanwhile
                if path.stat().st_mtime < before_s:
                    path.unlink()

    def _begins_before(self, moment: datetime) -> bool:
        """A file that nobody ever puts aside would keep its first lines for ever."""
        with self._log.open("rb") as file:
            try:
                event = json_text.read(file.readline(1 << 20))
            except ValueError:
                return False
        return isinstance(event, dict) and str(event.get("t", "9")) < written(moment)
