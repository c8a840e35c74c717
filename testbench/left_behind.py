"""What a run may leave on a machine: processes, shared memory, locks' files. Linux, read from /proc."""

from __future__ import annotations

import gc
import os
import tempfile
from pathlib import Path


def snapshot() -> set[str]:
    """Names of all that could be left behind and is there now."""
    found = {f"process {pid}: {name}" for pid, name in _descendants(os.getpid()).items()}
    found |= {f"memory {link}" for link in _memory_files()}
    # Only what the bus itself would leave: other runs on this machine have folders of their own there.
    found |= {f"file {path}" for path in Path(tempfile.gettempdir()).glob("facewire-locks-*")}
    return found


def left_behind(before: set[str]) -> list[str]:
    gc.collect()
    return sorted(snapshot() - before)


def _descendants(root: int) -> dict[int, str]:
    """Processes below this one but for multiprocessing's own tracker, which lives as long as its parent."""
    parents: dict[int, int] = {}
    names: dict[int, str] = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            stat = (entry / "stat").read_text()
            names[int(entry.name)] = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has just ended
        parents[int(entry.name)] = int(stat.rpartition(")")[2].split()[1])
    below: dict[int, str] = {}
    for pid in parents:
        above = pid
        while above in parents and above != root:
            above = parents[above]
        if above == root and pid != root and "resource_tracker" not in names[pid]:
            below[pid] = names[pid]
    return below


def _memory_files() -> set[str]:
    """Open or mapped memory of ours, in this process; that of others ends with them."""
    links = set()
    for entry in Path("/proc/self/fd").iterdir():
        try:
            target = str(entry.readlink())
        except FileNotFoundError:
            continue  # the descriptor of this very listing
        if "memfd:facewire" in target or "[eventfd]" in target:
            links.add(f"{entry.name} → {target}")
    maps = Path("/proc/self/maps").read_text().splitlines()
    return links | {f"mapped {line.split()[-2]} {line.split()[0]}" for line in maps if "memfd:facewire" in line}
