"""A file that is there whole or not at all, whatever interrupts the writing."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from checkpoints.errors import OutputError


def write(path: Path, content: bytes) -> None:
    write_by(path, lambda aside: aside.write_bytes(content))


def write_by(path: Path, writes: Callable[[Path], object]) -> None:
    """`writes` fills the file that it is given; OutputError where that fails, and what was there before stays."""
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        writes(aside)
        aside.replace(path)
    except OSError as error:
        raise OutputError(
            "A file cannot be written.",
            saw=f"{path}: {error.strerror or error}",
            fix="Is there room on the disk, and may you write there? The same command goes on from what is there.",
        ) from error
    finally:
        if aside.exists():  # not even asked for where the folder is a file
            aside.unlink()
