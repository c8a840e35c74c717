"""What this process and those that it starts write is nobody else's: files, folders, and memory when one crashes."""

from __future__ import annotations

import os
import sys
from collections.abc import Collection
from pathlib import Path


def begin() -> None:
    """Before anything is written. Files that exist already keep their permissions."""
    os.umask(0o077)
    if sys.platform != "win32":
        _without_core_files()


def open_to_others(folder: Path, public: Collection[str]) -> list[Path]:
    """Files that others could read, but for those in folders of these names."""
    found: list[Path] = []
    if os.name != "posix" or not folder.is_dir() or not folder.stat().st_mode & 0o011:
        return found
    for path, folders, files in os.walk(folder):
        # Nobody gets to what lies in a folder that is closed to them.
        folders[:] = [one for one in folders if one not in public and Path(path, one).stat().st_mode & 0o011]
        found += [one for one in (Path(path, name) for name in files) if one.stat().st_mode & 0o044]
    return found


def _without_core_files() -> None:
    """A core file holds keys, passwords and faces. With 1 the kernel neither writes one nor pipes it to a collector,
    which it does in spite of 0."""
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    if hard == resource.RLIM_INFINITY or hard >= 1:
        resource.setrlimit(resource.RLIMIT_CORE, (1, 1))
