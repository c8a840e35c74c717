"""Names of the files that are written here: parts of them out of texts that may hold anything."""

from __future__ import annotations

import re
from pathlib import Path

_CLIP = re.compile(r".+-\d{4}-\d\d-\d\dT\d\d_\d\d_\d\d_\d{3}Z\.mp4")
_RECORDING = re.compile(r".+_\d{8}_\d{6}Z\.mp4")


def safe(text: str) -> str:
    """Letters, digits, - and _; all else becomes _."""
    return "".join(c if c.isalnum() or c in "-_" else "_" for c in text)


def is_clip(path: Path) -> bool:
    """One that was written here: the folder may hold other files."""
    return _CLIP.fullmatch(path.name) is not None


def recording_name(camera: str, began: str) -> str:
    """began: UTC, ISO 8601. `index` reads camera and time from the name"""
    moment = began[:19].replace("-", "").replace(":", "").replace("T", "_")
    return f"{safe(camera)}_{moment}Z.mp4"


def is_recording(path: Path) -> bool:
    return _RECORDING.fullmatch(path.name) is not None
