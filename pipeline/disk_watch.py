"""Room on the disks that a run writes to: clips, oldest first, make room for events, which are worth more."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pipeline.clock import now_ns
from pipeline.config import RunConfig
from pipeline.file_names import is_clip

MB = 1_000_000
_EVERY_NS = 5_000_000_000
_MOST_OF_A_DISK = 0.05  # a small disk need not keep the whole reserve free


@dataclass(frozen=True, slots=True)
class Room:
    """state  low, enough;  folder  on the disk that it is about;  erased  clips, to make room"""

    state: str
    folder: Path
    free_mb: float
    erased: int = 0

    def __str__(self) -> str:
        made = f"; {self.erased} old clips were erased" if self.erased else ""
        if self.state == "enough":
            return f"there is room again on the disk of {self.folder}: {self.free_mb:.0f} MB"
        return f"only {self.free_mb:.0f} MB are left on the disk of {self.folder}{made}"


class DiskWatch:
    """reserve_mb  that should stay free"""

    def __init__(
        self,
        config: RunConfig,
        reserve_mb: float,
        *,
        usage: Callable[[Path], tuple[int, int, int]] = shutil.disk_usage,
        clock_ns: Callable[[], int] = now_ns,
    ) -> None:
        self._folders = folders(config)
        self._clips = None if config.output.clips is None else config.output.clips.folder
        self._reserve_mb = reserve_mb
        self._usage = usage
        self._clock_ns = clock_ns
        self._look_at_ns = 0
        self._low: set[Path] = set()

    def look(self) -> list[Room]:
        """What is new. To be called often; it looks every few seconds."""
        if self._clock_ns() < self._look_at_ns:
            return []
        self._look_at_ns = self._clock_ns() + _EVERY_NS
        return [room for folder in self._folders if folder.is_dir() and (room := self._look_at(folder)) is not None]

    def _look_at(self, folder: Path) -> Room | None:
        missing_mb = self._missing_mb(folder)
        if missing_mb <= 0:
            if folder not in self._low:
                return None
            self._low.discard(folder)
            return Room("enough", folder, self._free_mb(folder))
        erased = self._make_room(folder)
        if folder in self._low and not erased:
            return None
        self._low.add(folder)
        return Room("low", folder, self._free_mb(folder), erased)

    def _make_room(self, folder: Path) -> int:
        """The oldest clip goes first, as long as it helps this disk."""
        if self._clips is None or not self._clips.is_dir() or self._clips.stat().st_dev != folder.stat().st_dev:
            return 0
        erased = 0
        for clip in sorted(filter(is_clip, self._clips.iterdir()), key=_age):
            if self._missing_mb(folder) <= 0:
                break
            with suppress(FileNotFoundError):
                clip.unlink()
                erased += 1
        return erased

    def _free_mb(self, folder: Path) -> float:
        return self._usage(folder)[2] / MB

    def _missing_mb(self, folder: Path) -> float:
        total, _, free = self._usage(folder)
        return min(self._reserve_mb, _MOST_OF_A_DISK * total / MB) - free / MB


def folders(config: RunConfig) -> list[Path]:
    """One for each disk that the run writes to, as far as the folders are there."""
    output = config.output
    wanted = [file.parent for file in (output.events, output.record) if file is not None]
    wanted += [] if output.clips is None else [output.clips.folder]
    wanted += [] if config.outlets is None else [config.outlets.store]
    found: dict[int, Path] = {}
    for folder in (*wanted, config.gallery.path):
        there = next((each for each in (folder, *folder.parents) if each.is_dir()), None)
        if there is not None:
            found.setdefault(there.stat().st_dev, there)
    return list(found.values())


def _age(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0
