"""What the processes of the run are doing: alive or not, by the board; their share of the machine, as Linux tells."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pipeline.board import Board, Life
from pipeline.clock import now_ns
from pipeline.config import SuperviseConfig

ProcessState = Literal["starting", "running", "silent", "dead", "resting", "ended"]
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_TICKS_S = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class ProcessSeen:
    """cpu_percent  of one core, since the last look;  memory_mb  resident;  None where the system does not tell"""

    name: str
    state: ProcessState
    restarts: int
    cpu_percent: float | None
    memory_mb: float | None


class Machine:
    def __init__(self, board: Board, names: Sequence[str], config: SuperviseConfig) -> None:
        self._posts = {name: board.post(place) for place, name in enumerate(names)}
        self._config = config
        self._lock = threading.Lock()
        self._used: dict[str, tuple[int, float]] = {}  # when, and processor seconds until then

    def restarts(self) -> dict[str, int]:
        return {name: post.restarts for name, post in self._posts.items()}

    def states(self) -> dict[str, ProcessState]:
        return {name: self._state(name) for name in self._posts}

    def look(self) -> list[ProcessSeen]:
        own: list[tuple[str, ProcessState, int, int]] = [("console", "running", 0, os.getpid())]
        stages = [(name, self._state(name), post.restarts, post.pid) for name, post in self._posts.items()]
        with self._lock:
            return [
                ProcessSeen(name, state, restarts, self._cpu_percent(name, pid), _memory_mb(pid))
                for name, state, restarts, pid in (*stages, *own)
            ]

    def _state(self, name: str) -> ProcessState:
        post = self._posts[name]
        life = post.life
        if life is Life.ENDED:
            return "ended"
        if life is Life.RESTING:
            return "resting"
        if life in (Life.NONE, Life.STARTING):
            return "starting" if post.silent_s <= self._config.start_timeout_s else "silent"
        if post.silent_s > self._config.hang_timeout_s / 2:
            return "silent" if _exists(post.pid) else "dead"
        return "running" if _exists(post.pid) else "dead"

    def _cpu_percent(self, name: str, pid: int) -> float | None:
        used_s = _cpu_s(pid)
        if used_s is None:
            return None
        now = now_ns()
        before_ns, before_s = self._used.get(name, (0, 0.0))
        self._used[name] = (now, used_s)
        if not before_ns or used_s < before_s or now == before_ns:
            return 0.0
        return round(100e9 * (used_s - before_s) / (now - before_ns), 1)


def _exists(pid: int) -> bool:
    """A process that was killed and not yet waited for is no more."""
    fields = _stat(pid)
    if fields is not None:
        return fields[0] not in "ZX"
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return not Path("/proc/self").exists()


def _cpu_s(pid: int) -> float | None:
    fields = _stat(pid)
    return None if fields is None else (int(fields[11]) + int(fields[12])) / _TICKS_S


def _memory_mb(pid: int) -> float | None:
    try:
        return round(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE_BYTES / 2**20, 1)
    except OSError:
        return None


def _stat(pid: int) -> list[str] | None:
    """From the state on; None where there is no such process, or no such system."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
