"""Somebody who is told of events, as a courier sees it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from pipeline.outlets.stored import StoredEvent


class Away(Exception):
    """The receiver cannot be told now: the same events are offered again later. Says why, without any secret."""


class Refused(Exception):
    """The receiver will never take this event: the next one is offered. Says why, without any secret."""


class Outlet(Protocol):
    """at_once  the most events of one call"""

    name: str
    at_once: int

    def tell(self, events: Sequence[StoredEvent]) -> None:
        """Returns when the receiver has all of them; raises Away, or Refused when there was only one."""

    def tend(self) -> None:
        """Called now and then while there is nothing to tell. Raises Away."""

    def close(self) -> None: ...


OpenOutlet = Callable[[], Outlet]
