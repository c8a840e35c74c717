"""What is done to a run: each fault begins, lasts, and ends, and says when the program has got over it.

Who a fault needs beside the program (a stand-in for Qdrant, a small disk, another clock) is brought by
`testbench.fault_stage`.
"""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from pipeline.clock import now_ns

Pids = Callable[[], dict[str, int]]

HANG_S = 3.0
_TICK_NS = 100_000_000


class Fault(Protocol):
    """lasts_s  from `begin` to `end`, with `hold` called often between them."""

    lasts_s: float

    def begin(self) -> str:
        """Returns what it has done, for the report."""

    def hold(self) -> None: ...

    def end(self) -> None: ...


@dataclass(slots=True)
class Kill:
    """SIGKILL to one process after another."""

    chance: random.Random
    pids: Pids
    lasts_s: float = 0.0
    number: signal.Signals = signal.SIGKILL
    left: list[str] = field(default_factory=list)

    def begin(self) -> str:
        pids = self.pids()
        if not self.left:
            self.left = sorted(pids)
            self.chance.shuffle(self.left)
        name = self.left.pop()
        if name in pids:
            with suppress(ProcessLookupError):
                os.kill(pids[name], self.number)
        return f"{self.number.name} to {name.partition(':')[0]}"

    def hold(self) -> None:
        """It is done at once."""

    def end(self) -> None:
        """Nobody goes on by himself: who was stopped is killed by the supervisor."""


@dataclass(slots=True)
class Slow:
    """One process runs only half of the time."""

    chance: random.Random
    pids: Pids
    lasts_s: float = 3.0
    pid: int | None = None
    is_stopped: bool = False
    next_ns: int = 0

    def begin(self) -> str:
        name, self.pid = self.chance.choice(sorted(self.pids().items()))
        return f"{name.partition(':')[0]} at half speed"

    def hold(self) -> None:
        if now_ns() >= self.next_ns:
            self.next_ns = now_ns() + _TICK_NS
            self._send(signal.SIGCONT if self.is_stopped else signal.SIGSTOP)
            self.is_stopped = not self.is_stopped

    def end(self) -> None:
        self._send(signal.SIGCONT)
        self.is_stopped = False

    def _send(self, number: signal.Signals) -> None:
        if self.pid is not None and self.pid in self.pids().values():
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)


@dataclass(slots=True)
class GalleryAway:
    """Its server closes connections, or takes them and never answers; meanwhile somebody is enrolled."""

    set_fault: Callable[[str], None]
    enrol: Callable[[], str]
    lasts_s: float = 8.0
    turns: int = 0

    def begin(self) -> str:
        self.turns += 1
        how = ("drop", "hang", "503")[self.turns % 3]
        self.set_fault(how)
        return f"server: {how}; enrolled {self.enrol()}"

    def hold(self) -> None:
        """It stays away."""

    def end(self) -> None:
        self.set_fault("")


@dataclass(slots=True)
class FullDisk:
    """The disk of events, store and gallery has not one byte left."""

    folder: Path
    lasts_s: float = 5.0

    def begin(self) -> str:
        self._fill()
        return "no byte left"

    def hold(self) -> None:
        self._fill()

    def end(self) -> None:
        (self.folder / "ballast").unlink()

    def _fill(self) -> None:
        with (self.folder / "ballast").open("ab", buffering=0) as ballast:
            for size in (1 << 20, 1 << 12, 1):
                with suppress(OSError):
                    while True:
                        ballast.write(b"\0" * size)


@dataclass(slots=True)
class OtherClock:
    """The wall clock leaps, for all processes, and then leaps back."""

    leap: Callable[[str], object]
    lasts_s: float = 4.0
    turns: int = 0

    def begin(self) -> str:
        self.turns += 1
        leap = ("+1h", "-1h", "+400d", "-2d")[self.turns % 4]
        self.leap(leap)
        return f"clock {leap}"

    def hold(self) -> None:
        """It stays wrong."""

    def end(self) -> None:
        self.leap("+0")
