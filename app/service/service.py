"""The run as a service: it is told ready, alive, reloaded and stopping, and its settings are read again on SIGHUP."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from app.service.notify import Notify, ServiceManager
from app.service.reload import reload
from app.service.vigil import Vigil
from checkpoints.errors import UserError
from pipeline.clock import now_ns
from pipeline.config import RunConfig
from pipeline.messages import Shown
from pipeline.system import System

_STATUS_EVERY_NS = 10_000_000_000


class Service:
    """reread  the settings as they are now; raises UserError for those that cannot be used"""

    def __init__(self, manager: ServiceManager, stale_s: float, reread: Callable[[], RunConfig]) -> None:
        self._notify = Notify(manager)
        self._sign_every_s = manager.sign_every_s
        self._vigil = Vigil(stale_s)
        self._reread = reread
        self._is_ready = False
        self._is_stopping = False
        self._sign_due_ns = 0
        self._status_due_ns = 0

    def turn(self, system: System, shown: Iterable[Shown]) -> None:
        self._vigil.see(system.captured(), shown)
        if not self._is_ready and system.supervisor.ready:
            self._is_ready = True
            self._notify.tell(READY=1, STATUS="ready")
        self._give_sign(system)
        self._tell_status(system)

    def stopping(self) -> None:
        if not self._is_stopping:
            self._is_stopping = True
            self._notify.tell(STOPPING=1, STATUS="stopping")

    def reload(self, system: System) -> str:
        """What has become of it, in words; settings that cannot be used change nothing."""
        self._notify.tell(RELOADING=1, MONOTONIC_USEC=now_ns() // 1000, STATUS="reading the settings again")
        try:
            found = reload(system.config, self._reread())
        except UserError as error:
            said = f"the settings were not reloaded: {error}"
        else:
            system.adopt(found.config, [system.process_of(stage) for stage in found.stages])
            said = "the settings were reloaded: " + (", ".join(found.changed) or "nothing has changed")
            if found.needs_start:
                said += f"; only a new start changes {', '.join(found.needs_start)}"
        self._notify.tell(READY=1, STATUS=said)
        return said

    def close(self) -> None:
        self._notify.close()

    def _give_sign(self, system: System) -> None:
        """At the end too: how long that may take is for the supervisor to see. While a stage starts or rests nothing
        comes through, and another program in the place of this one would have to start it or let it rest, too.
        """
        if self._sign_every_s is None or now_ns() < self._sign_due_ns:
            return
        if self._is_stopping or system.supervisor.shut() or not self._vigil.held_up():
            self._sign_due_ns = now_ns() + int(self._sign_every_s * 1e9)
            self._notify.tell(WATCHDOG=1)

    def _tell_status(self, system: System) -> None:
        if not self._is_ready or self._is_stopping or now_ns() < self._status_due_ns:
            return
        self._status_due_ns = now_ns() + _STATUS_EVERY_NS
        late = [f"pictures of {name} have not come through for {s:.0f} s" for name, s in self._vigil.held_up().items()]
        resting = [f"{name} rests" for name in system.supervisor.resting()]
        away = [f"{name} is away" for name in system.supervisor.away()]
        frames = sum(system.captured().values())
        self._notify.tell(STATUS="; ".join([f"{frames} pictures", *resting, *away, *late]))
