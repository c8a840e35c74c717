"""A file of events and its older parts: FILE.jsonl is written to, FILE.000001.jsonl is the oldest there is."""

from __future__ import annotations

import re
from pathlib import Path

from pipeline.lines import put_aside, sweep


def older_parts(log: Path) -> list[Path]:
    """Oldest first."""
    return [path for _, path in _numbered(log.resolve())]


def all_parts(log: Path) -> list[Path]:
    """Oldest first, with the file itself, whether it is there or not."""
    return [*older_parts(log), log]


def rotate(log: Path, *, least_bytes: int) -> bool:
    """Let a file that is so long become the newest of the older parts; false when somebody else has done so."""
    real = log.resolve()  # a link stays a link, and the parts lie beside what it leads to
    return put_aside(real, lambda: _next_part(real), least_bytes=least_bytes)


def sweep_parts(log: Path) -> None:
    """Erase what rewritings that were killed have left of the file and of its parts, of those that are gone, too."""
    real = log.resolve()
    name = re.compile(rf"\.({re.escape(real.stem)}(?:\.\d{{6,}})?{re.escape(real.suffix)})\.\d+")
    there = real.parent.iterdir() if real.parent.is_dir() else ()
    for part in {match[1] for path in there if (match := name.fullmatch(path.name))}:
        sweep(real.with_name(part))


def _next_part(log: Path) -> Path:
    number = max((number for number, _ in _numbered(log)), default=0) + 1
    return log.with_name(f"{log.stem}.{number:06}{log.suffix}")


def _numbered(log: Path) -> list[tuple[int, Path]]:
    name = re.compile(rf"{re.escape(log.stem)}\.(\d{{6,}}){re.escape(log.suffix)}")
    if not log.parent.is_dir():
        return []
    return sorted((int(match[1]), path) for path in log.parent.iterdir() if (match := name.fullmatch(path.name)))
