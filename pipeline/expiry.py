"""What is too old is erased: films, and the older parts of a file of events."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from checkpoints import json_text
from checkpoints.errors import OutputError
from pipeline.config import RunConfig
from pipeline.file_names import is_clip, is_recording
from pipeline.hours import Hours
from pipeline.outlets.stored import written
from pipeline.parts import older_parts, rotate, sweep_parts

_LONGEST_PART = timedelta(days=1)


class Expiry:
    """Of what a run writes and no other process looks after: `outlets` does so for events."""

    def __init__(self, config: RunConfig, hours: Hours | None = None) -> None:
        self._hours = hours or Hours()
        self._has_complained = False
        self.adopt(config)

    def adopt(self, config: RunConfig) -> None:
        """Go on with other settings."""
        self._config = config

    def tick(self) -> OutputError | None:
        """To be called often; what cannot be erased is told once."""
        if not self._hours.strike():
            return None
        try:
            self._erase()
        except OSError as error:
            if self._has_complained:
                return None
            self._has_complained = True
            return not_erased(error)
        self._has_complained = False
        return None

    def _erase(self) -> None:
        output, now = self._config.output, self._hours.now()
        if output.events is not None and self._config.outlets is None:
            erase_parts(output.events, output.event_days, now)
        if output.clips is not None:
            erase_older(filter(is_clip, _files(output.clips.folder)), output.clips.days, now)
        if output.recordings is not None:
            erase_older(filter(is_recording, _files(output.recordings.folder)), output.recordings.days, now)


def erase_parts(log: Path, days: float, now: datetime) -> None:
    """The file begins anew each day, and a part goes when nothing was written to it for so many days."""
    if log.is_file() and _begins_before(log, now - min(_LONGEST_PART, timedelta(days=days))):
        rotate(log, least_bytes=1)
    erase_older(older_parts(log), days, now)
    sweep_parts(log)


def erase_older(paths: Iterable[Path], days: float, now: datetime) -> None:
    before_s = now.timestamp() - days * 86_400
    for path in list(paths):
        with suppress(FileNotFoundError):  # somebody else was quicker
            if path.stat().st_mtime < before_s:
                path.unlink()


def not_erased(error: OSError) -> OutputError:
    return OutputError(
        "What is too old cannot be erased.",
        saw=f"{error.filename}: {error.strerror}",
        fix="see that the files are yours",
    )


def _files(folder: Path) -> Iterable[Path]:
    return folder.iterdir() if folder.is_dir() else ()


def _begins_before(log: Path, moment: datetime) -> bool:
    """A file that nobody ever puts aside would keep its first lines for ever."""
    with log.open("rb") as file:
        try:
            event = json_text.read(file.readline(1 << 20))
        except ValueError:
            return False
    return isinstance(event, dict) and str(event.get("t", "9")) < written(moment)
