"""Memory and processor time of processes, where the system tells (Linux)."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path


def pss_mb(pids: Iterable[int]) -> float | None:
    """Memory of all together, each shared page counted once; None where the system does not tell."""
    total_kb, told = 0, False
    for pid in pids:
        try:
            text = Path(f"/proc/{pid}/smaps_rollup").read_text()
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue  # it has just ended, or there is no such file on this system
        for line in text.splitlines():
            if line.startswith("Pss:"):
                total_kb += int(line.split()[1])
                told = True
    return round(total_kb / 1024, 1) if told else None
