"""Room on the disks that a run writes to: films, oldest first, make room for events, which are worth more."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pipeline.clock import now_ns
from pipeline.config import RunConfig
from pipeline.file_names import is_clip, is_recording

MB = 1_000_000
_EVERY_NS = 5_000_000_000
_WRITTEN_S = 60.0  # a film that was not written to for so long is complete
_MOST_OF_A_DISK = 0.05  # a small disk need not keep the whole reserve free


@dataclass(frozen=True, slots=True)
class Room:
    """state  low, enough;  folder  on the disk that it is about;  erased  clips and recordings, to make room"""

    state: str
    folder: Path
    free_mb: float
    erased: int = 0

    def __str__(self) -> str:
        made = f"; {self.erased} old films were erased" if self.erased else ""
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
        self._output = config.output
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
        """The oldest film goes first, as long as it helps this disk."""
        erased = 0
        for film in sorted(self._films(folder.stat().st_dev), key=_age):
            if self._missing_mb(folder) <= 0:
                break
            with suppress(FileNotFoundError):
                film.unlink()
                erased += 1
        return erased

    def _films(self, disk: int) -> Iterator[Path]:
        """Those on this disk that may go; a recording that is still being written may not."""
        clips, recordings = self._output.clips, self._output.recordings
        if clips is not None and _is_on(clips.folder, disk):
            yield from filter(is_clip, clips.folder.iterdir())
        if recordings is not None and _is_on(recordings.folder, disk):
            before = time.time() - _WRITTEN_S
            yield from (one for one in recordings.folder.iterdir() if is_recording(one) and _age(one) < before)

    def _free_mb(self, folder: Path) -> float:
        return self._usage(folder)[2] / MB

    def _missing_mb(self, folder: Path) -> float:
        total, _, free = self._usage(folder)
        return min(self._reserve_mb, _MOST_OF_A_DISK * total / MB) - free / MB


def folders(config: RunConfig) -> list[Path]:
    """One for each disk that the run writes to, as far as the folders are there."""
    output = config.output
    wanted = [file.parent for file in (output.events, output.record) if file is not None]
    wanted += [films.folder for films in (output.recordings, output.clips) if films is not None]
    wanted += [] if config.outlets is None else [config.outlets.store]
    found: dict[int, Path] = {}
    for folder in (*wanted, config.gallery.path):
        there = next((each for each in (folder, *folder.parents) if each.is_dir()), None)
        if there is not None:
            found.setdefault(there.stat().st_dev, there)
    return list(found.values())


def _is_on(folder: Path, disk: int) -> bool:
    return folder.is_dir() and folder.stat().st_dev == disk


def _age(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0
