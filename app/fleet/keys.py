"""Keys of a fleet that nobody has to think of: made up once, kept beside its store, readable for its owner only.

They stay the same when the fleet is begun again, so cameras that still run are not begun anew for another key.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from checkpoints.errors import OutputError

EVENTS, TOKEN, CLUSTER = "events.key", "token", "cluster.key"
_LEAST = 16


def kept(folder: Path, name: str) -> str:
    """The key of this name, made when there is none."""
    path = folder / name
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return _read(path)
        made = secrets.token_urlsafe(32)
        with os.fdopen(fd, "w", encoding="ascii") as file:
            file.write(made)
        return made
    except (OSError, UnicodeDecodeError) as error:
        raise OutputError(
            "A key of the fleet cannot be kept.", saw=f"{path}: {error}", fix="see that it is yours"
        ) from error


def brought(folder: Path, name: str) -> str:
    """The key of this name, which another machine has made."""
    path = folder / name
    try:
        return _read(path)
    except (OSError, UnicodeDecodeError) as error:
        raise OutputError(
            "This machine does not have the key of the cluster.",
            saw=f"{path}: {error}",
            fix=f"copy {name} of the first machine (DATA_DIR/fleet) to there, or set FLEET_KEY on all machines",
        ) from error


def _read(path: Path) -> str:
    found = path.read_text(encoding="ascii").strip()
    if len(found) < _LEAST:
        raise OutputError("A key of the fleet is damaged.", saw=str(path), fix="erase the file: a new one is made")
    return found
