"""Opening what may never answer: in a thread of its own, so that the process stays alive and can be asked to stop.

A name server that does not answer holds up the system's own call, which no timeout of ours can end.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from checkpoints.errors import SourceError
from pipeline.clock import now_ns
from pipeline.topic import Pulse, Stopped

Opened = TypeVar("Opened")
_LOOK_EVERY_S = 0.05


class Opening(Generic[Opened]):
    """open_it  gives what is wanted or raises SourceError"""

    def __init__(self, open_it: Callable[[], Opened]) -> None:
        self._open_it = open_it
        self._result: Opened | SourceError | None = None
        self._done = threading.Event()
        threading.Thread(target=self._run, daemon=True).start()

    def wait(self, pulse: Pulse, timeout_s: float, too_late: SourceError) -> Opened:
        """What was opened, or the error that kept it from it; Stopped when asked to stop meanwhile."""
        until_ns = now_ns() + int(timeout_s * 1e9)
        while not self._done.wait(_LOOK_EVERY_S):
            pulse.beat()
            if pulse.stopping:
                raise Stopped
            if now_ns() > until_ns:
                raise too_late
        if isinstance(self._result, SourceError):
            raise self._result
        if self._result is None:
            raise RuntimeError("a source could not be opened; what was wrong stands above")
        return self._result

    def _run(self) -> None:
        try:
            self._result = self._open_it()
        except SourceError as error:
            self._result = error
        finally:
            self._done.set()
