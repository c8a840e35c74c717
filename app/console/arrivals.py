"""New events, told to every page that listens as they are stored.

One look at the store serves all pages; each then reads on from where it is, so a page that is slow, or was away for a
while, misses nothing and costs no memory.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager

from anyio import to_thread

from app.console.problem import Problem
from pipeline.outlets.store import Store
from pipeline.outlets.stored import StoredEvent, Wanted

MOST_LISTENERS = 64
_LOOK_EVERY_S = 0.5
_AT_ONCE = 100
_ALIVE_EVERY_S = 15.0

Said = Callable[[StoredEvent], dict[str, object]]


class Arrivals:
    """Used on the event loop only; `watch` runs there as long as the console does."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._listeners = 0
        self._last = -1
        self._news = asyncio.Event()

    async def watch(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_EVERY_S)
            if not self._listeners:
                continue
            last = await to_thread.run_sync(self._store.last_id)
            if last != self._last:
                self._last = last
                self._news.set()
                self._news = asyncio.Event()

    async def lines(self, said: Said, after: int | None) -> AsyncIterator[str]:
        """Server-sent events: those after this one, of now on when None."""
        with self._listening():
            at = await to_thread.run_sync(self._store.last_id) if after is None else after
            yield ": listening\n\n"
            while True:
                news = self._news
                found = await to_thread.run_sync(self._since, at, said)
                for at, text in found:
                    yield f"id: {at}\ndata: {text}\n\n"
                if len(found) == _AT_ONCE:
                    continue
                try:
                    await asyncio.wait_for(news.wait(), _ALIVE_EVERY_S)
                except asyncio.TimeoutError:
                    yield ": still here\n\n"

    def _since(self, at: int, said: Said) -> list[tuple[int, str]]:
        found = self._store.events(Wanted(kind=None, after=at), limit=_AT_ONCE, newest_first=False)
        return [(one.id, json.dumps(said(one))) for one in found]

    @contextmanager
    def _listening(self) -> Iterator[None]:
        self._listeners += 1
        try:
            yield
        finally:
            self._listeners -= 1

    def check_room(self) -> None:
        if self._listeners >= MOST_LISTENERS:
            raise Problem(503, "Too many pages listen for events.", saw=str(MOST_LISTENERS), fix="close some of them")
