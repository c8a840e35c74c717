"""A thread that tells one outlet of events, in order, and is patient with it.

Whoever is away costs nothing but the events that wait in the store; nobody else is held up.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from checkpoints.errors import OutputError, UserError
from pipeline.outlets.ledger import Ledger
from pipeline.outlets.outlet import Away, OpenOutlet, Outlet, Refused

FIRST_BACKOFF_S = 0.5
MAX_BACKOFF_S = 60.0
_TEND_EVERY_S = 2.0


class Courier:
    """say       tells the person at the terminal something
    complain  tells of a store that cannot be used
    """

    def __init__(
        self,
        name: str,
        open_outlet: OpenOutlet,
        ledger: Ledger,
        *,
        say: Callable[[str], None],
        complain: Callable[[UserError], None],
    ) -> None:
        self._name = name
        self._open = open_outlet
        self._ledger = ledger
        self._say = say
        self._complain = complain
        self._rung = threading.Event()
        self._ending = threading.Event()
        self._is_well: bool | None = None
        self._has_complained = False
        self._bug: BaseException | None = None
        self._thread = threading.Thread(target=self._guarded, name=name, daemon=True)

    def start(self) -> None:
        self._ledger.begin()
        self._thread.start()

    def ring(self) -> None:
        """There are new events."""
        self._rung.set()

    def check(self) -> None:
        """Raises what the thread has stumbled over."""
        if self._bug is not None:
            raise self._bug

    def end(self) -> None:
        """Tell what waits, if the receiver is there, and end."""
        self._ending.set()
        self._rung.set()

    def join(self, patience_s: float) -> None:
        """After `end`; what the receiver has not heard by then it hears in the next run."""
        self._thread.join(patience_s)

    def _guarded(self) -> None:
        try:
            self._run()
        except BaseException as error:  # noqa: BLE001  (raised again in the process's own thread)
            self._bug = error

    def _run(self) -> None:
        outlet = self._open()
        backoff_s = FIRST_BACKOFF_S
        try:
            while True:
                is_last = self._ending.is_set()
                self._rung.clear()
                went_well = self._did(lambda: self._tell_all(outlet))
                if is_last:
                    break
                if went_well:
                    backoff_s = FIRST_BACKOFF_S
                    self._rung.wait(_TEND_EVERY_S)
                else:
                    self._ending.wait(backoff_s)
                    backoff_s = min(MAX_BACKOFF_S, 2 * backoff_s)
        finally:
            outlet.close()
        self._did(lambda: self._ledger.say("ended"))

    def _did(self, what: Callable[[], object]) -> bool:
        """False when the receiver is away, or the store cannot be used now: both may be well again later."""
        try:
            try:
                what()
            except Away as why:
                self._note_away(str(why))
                return False
        except OutputError as error:
            if not self._has_complained:
                self._has_complained = True
                self._complain(error)
            return False
        return True

    def _tell_all(self, outlet: Outlet) -> None:
        while events := self._ledger.waiting(outlet.at_once):
            try:
                outlet.tell(events)
            except Refused as why:
                self._ledger.settle(events[:1], delivered=False)
                self._say(f"{self._name}: an event was refused and is not told again: {why}")
            else:
                self._ledger.settle(events, delivered=True)
            self._note_well()
        outlet.tend()
        self._note_well()

    def _note_well(self) -> None:
        if self._is_well is True:
            return
        if self._is_well is False:
            self._say(f"{self._name}: the receiver is there again")
        self._is_well = True
        self._ledger.say("well")

    def _note_away(self, why: str) -> None:
        if self._is_well is not False:
            self._say(f"{self._name}: {why}; events wait until the receiver is there")
        self._is_well = False
        self._ledger.say("away", why)
