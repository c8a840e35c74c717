"""Is there room on the disk? Asked before a change, because an engine that runs out in the middle is hard to trust."""

from __future__ import annotations

import shutil
from pathlib import Path

from checkpoints.errors import GalleryError

# Qdrant lays out its write-ahead log 32 MiB at a time, and one ahead.
RESERVE_BYTES = 80 << 20


def check_room(folder: Path, wanted_bytes: int) -> None:
    needed = wanted_bytes + RESERVE_BYTES
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise GalleryError(
            "The disk is too full to change the gallery; nothing was changed.",
            saw=f"{folder}: {free >> 20} MiB free, {(needed >> 20) + 1} MiB needed",
            fix="free some space, or move the gallery to a larger disk",
        )
