"""Which process uses too much memory, before the machine has none left. Linux; elsewhere nobody is found.

What counts is a process's own memory: the rings are shared, and do not grow. Who is as large as it was soon after its
start would be as large again after the next one: starting it anew helps against growth alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pipeline.clock import now_ns

MB = 1_000_000
_EVERY_NS = 5_000_000_000
_SETTLED_NS = 60_000_000_000  # after it began to work a process has all that it needs
_GROWN = 1.25  # times what it had then: it leaks
_CALM_NS = 60_000_000_000  # between two that are named because the machine runs short: memory comes back slowly
_LIFE_NS = 600_000_000_000  # who was named is let be for so long
_RESERVE = 0.05  # of the machine's memory
_USUAL_SHARE = 0.25  # of the machine's memory for one process, when nothing else is said
_USUAL_LEAST_MB = 1000.0
_CGROUP = Path("/sys/fs/cgroup")


@dataclass(frozen=True, slots=True)
class MachineMemory:
    total_mb: float
    free_mb: float

    @property
    def is_short(self) -> bool:
        return self.free_mb < _RESERVE * self.total_mb


@dataclass(frozen=True, slots=True)
class TooLarge:
    """has_grown  it should be started anew; else it is only to be told of"""

    process: str
    why: str
    has_grown: bool


@dataclass(slots=True)
class _Size:
    """first_mb  at the first look, `seen_ns`;  settled_mb  the most that it had until it had settled"""

    seen_ns: int
    first_mb: float
    settled_mb: float


class MemoryWatch:
    """limit_mb  for each process; 0: a quarter of the machine, but at least a gigabyte"""

    def __init__(
        self,
        limit_mb: float,
        *,
        own_mb: Callable[[int], float | None] | None = None,
        machine: Callable[[], MachineMemory | None] | None = None,
        clock_ns: Callable[[], int] = now_ns,
    ) -> None:
        self._own_mb = own_mb or own_memory_mb
        self._machine = machine or machine_memory
        self._clock_ns = clock_ns
        self._limit_mb = limit_mb
        self._sizes: dict[int, _Size] = {}
        self._named_ns: dict[str, int] = {}
        self._told: set[str] = set()
        self._look_at_ns = self._calm_until_ns = 0

    def look(self, pids: Mapping[str, int]) -> list[TooLarge]:
        """pids: of the processes that are at work. To be called often; it looks every few seconds."""
        now = self._clock_ns()
        machine = self._machine() if now >= self._look_at_ns else None
        if machine is None:
            return []
        self._look_at_ns = now + _EVERY_NS
        used = {name: mb for name, pid in pids.items() if (mb := self._own_mb(pid)) is not None}
        sizes = {name: self._sizes.get(pids[name]) or _Size(now, mb, mb) for name, mb in used.items()}
        self._sizes = {pids[name]: size for name, size in sizes.items()}
        for name, size in sizes.items():
            if now - size.seen_ns <= _SETTLED_NS:
                size.settled_mb = max(size.settled_mb, used[name])
        found = self._over_limit(used, sizes, machine, now)
        grown_mb = {name: mb - sizes[name].first_mb for name, mb in used.items() if mb > _GROWN * sizes[name].first_mb}
        is_enough = any(each.has_grown for each in found)
        if machine.is_short and grown_mb and not is_enough and now >= self._calm_until_ns:
            self._calm_until_ns = now + _CALM_NS
            name = max(grown_mb, key=lambda name: grown_mb[name])
            why = f"has grown to {used[name]:.0f} MB, and the machine has {machine.free_mb:.0f} MB left"
            found.append(TooLarge(name, why, has_grown=True))
        return found

    def _over_limit(
        self, used: Mapping[str, float], sizes: Mapping[str, _Size], machine: MachineMemory, now: int
    ) -> list[TooLarge]:
        limit_mb = self._limit_mb or max(_USUAL_LEAST_MB, _USUAL_SHARE * machine.total_mb)
        found = []
        for name, mb in used.items():
            if mb <= limit_mb:
                continue
            why = f"uses {mb:.0f} MB, more than {limit_mb:.0f}"
            if mb > _GROWN * sizes[name].settled_mb:
                if now >= self._named_ns.get(name, now - _LIFE_NS) + _LIFE_NS:
                    self._named_ns[name] = now
                    found.append(TooLarge(name, why, has_grown=True))
            elif name not in self._told and now - sizes[name].seen_ns > _SETTLED_NS:
                self._told.add(name)
                found.append(TooLarge(name, f"{why}, since its start: give MEMORY_LIMIT_MB more", has_grown=False))
        return found


def own_memory_mb(pid: int) -> float | None:
    """What is written of it into no file and shared with nobody; None where the system does not tell."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return None
    kilobytes = [line.split()[1] for line in status.splitlines() if line.startswith(("RssAnon:", "VmSwap:"))]
    return sum(map(int, kilobytes)) * 1024 / MB if kilobytes else None


def machine_memory() -> MachineMemory | None:
    """Of the machine, or of the container when that has less."""
    try:
        lines = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
        total_mb, free_mb = (int(lines[key].split()[0]) * 1024 / MB for key in ("MemTotal", "MemAvailable"))
    except (OSError, KeyError, ValueError):
        return None
    group = _group_memory()
    return group if group is not None and group.total_mb < total_mb else MachineMemory(total_mb, free_mb)


def _group_memory(root: Path = _CGROUP) -> MachineMemory | None:
    """A container sees its own group at the root. The cache of files in it can be taken back."""
    try:
        limit, used = ((root / name).read_text().strip() for name in ("memory.max", "memory.current"))
        stat = dict(line.split() for line in (root / "memory.stat").read_text().splitlines())
    except (OSError, ValueError):
        return None
    if not limit.isdigit() or not used.isdigit():
        return None
    cached = int(stat.get("inactive_file", 0)) + int(stat.get("active_file", 0))
    return MachineMemory(int(limit) / MB, (int(limit) - int(used) + cached) / MB)
