"""Files that a run is to write, looked at before it begins: an hour of video should not end in a typing mistake."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from checkpoints.errors import OutputError


def check_writable(paths: Mapping[str, Path | None]) -> None:
    """Flag → file. Raises OutputError that lists every file that could not be written."""
    wrong = [f"{flag} {path}: {why}" for flag, path in paths.items() if path and (why := _why_not(path))]
    if wrong:
        raise OutputError("The output cannot be written.", saw="\n".join(wrong), fix="give a file in a writable folder")


def check_folders(folders: Mapping[str, Path | None]) -> None:
    """Flag → folder that films are to be written to; they are made. Raises OutputError."""
    for flag, folder in folders.items():
        if folder is None:
            continue
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            why = error.strerror
        else:
            why = "" if os.access(folder, os.W_OK | os.X_OK) else "may not be written"
        if why:
            raise OutputError(
                "The output cannot be written.", saw=f"{flag} {folder}: {why}", fix="give a writable folder"
            )


def _why_not(path: Path) -> str:
    if path.is_dir():
        return "is a folder"
    if not path.parent.is_dir():
        return f"the folder {path.parent} does not exist"
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        return "may not be written"
    return ""
