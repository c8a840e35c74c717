"""New events, told to every browser that listens as they are stored."""

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
_AT_ONCE = 200
_WAITING = 500
_ALIVE_EVERY_S = 15.0


class Arrivals:
    """Used on the event loop only; `watch` runs there as long as the console does."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._listeners: set[asyncio.Queue[StoredEvent | None]] = set()

    async def watch(self) -> None:
        last: int | None = None
        while True:
            await asyncio.sleep(_LOOK_EVERY_S)
            if not self._listeners:
                last = None
                continue
            if last is None:
                last = await to_thread.run_sync(self._store.last_id)
                continue
            for event in await to_thread.run_sync(self._since, last):
                last = event.id
                self._tell(event)

    @contextmanager
    def listening(self) -> Iterator[asyncio.Queue[StoredEvent | None]]:
        """None in the queue: so many were not read that the browser has to load the page again."""
        if len(self._listeners) >= MOST_LISTENERS:
            raise Problem(503, "Too many pages listen for events.", saw=str(MOST_LISTENERS), fix="close some of them")
        queue: asyncio.Queue[StoredEvent | None] = asyncio.Queue(_WAITING + 1)
        self._listeners.add(queue)
        try:
            yield queue
        finally:
            self._listeners.discard(queue)

    def _since(self, last: int) -> list[StoredEvent]:
        return self._store.events(Wanted(kind=None, after=last), limit=_AT_ONCE, newest_first=False)

    def _tell(self, event: StoredEvent) -> None:
        for queue in tuple(self._listeners):
            if queue.qsize() < _WAITING:
                queue.put_nowait(event)
            else:
                queue.put_nowait(None)
                self._listeners.discard(queue)


async def lines(arrivals: Arrivals, said: Callable[[StoredEvent], dict[str, object]]) -> AsyncIterator[str]:
    """Server-sent events; the browser comes back by itself when they end."""
    with arrivals.listening() as queue:
        yield ": listening\n\n"
        while True:
            try:
                event = await asyncio.wait_for(queue.get(), _ALIVE_EVERY_S)
            except asyncio.TimeoutError:
                yield ": still here\n\n"
                continue
            if event is None:
                return
            yield f"id: {event.id}\ndata: {json.dumps(said(event))}\n\n"
