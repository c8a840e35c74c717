"""The file of events and its older parts: FILE.jsonl is written to, FILE.000001.jsonl is the oldest there is."""

from __future__ import annotations

import re
from pathlib import Path


def older_parts(log: Path) -> list[Path]:
    """Oldest first."""
    name = re.compile(rf"{re.escape(log.stem)}\.(\d{{6,}}){re.escape(log.suffix)}")
    if not log.parent.is_dir():
        return []
    found = [(int(match[1]), path) for path in log.parent.iterdir() if (match := name.fullmatch(path.name))]
    return [path for _, path in sorted(found)]


def all_parts(log: Path) -> list[Path]:
    """Oldest first, with the file itself, whether it is there or not."""
    return [*older_parts(log), log]


def next_part(log: Path) -> Path:
    parts = older_parts(log)
    number = int(parts[-1].name[len(log.stem) + 1 : len(parts[-1].name) - len(log.suffix)]) + 1 if parts else 1
    return log.with_name(f"{log.stem}.{number:06}{log.suffix}")
