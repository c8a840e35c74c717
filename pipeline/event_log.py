"""The file of events as one process writes it."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from checkpoints import json_text
from checkpoints.errors import OutputError
from pipeline.config import RunConfig
from pipeline.lines import Lines
from pipeline.parts import older_parts, rotate
from pipeline.waiting_lines import WaitingLines

_TAIL_BYTES = 1 << 18
_FULL = (errno.ENOSPC, errno.EDQUOT)


class EventLog:
    """An open file of events. Somebody's events can be erased from it meanwhile (`pipeline.erasure`).

    part_bytes  how long it may be before it goes on in a new file; 0: as long as it likes
    run         added to each event, if it is not empty
    waits       what cannot be written now is written later, in order (`pipeline.waiting_lines`)
    """

    def __init__(self, path: Path, *, part_bytes: int = 0, run: str = "", waits: bool = False) -> None:
        self.path = path
        self._mark = {"run": run} if run else {}
        self._part_bytes = part_bytes
        self._waiting = WaitingLines() if waits else None
        self._lines: Lines | None = None
        try:
            self._lines = Lines(path)
        except OSError as error:
            if not waits or not (path.is_file() or error.errno in _FULL):
                raise OutputError(
                    "Events cannot be written.",
                    saw=f"--events {path}: {error.strerror}",
                    fix="give a file in a writable folder",
                ) from error

    def append(self, event: Mapping[str, object]) -> None:
        line = line_of({**event, **self._mark})
        if self._waiting is not None:
            self._waiting.add(line)
            self._waiting.write_out(self._write)
            return
        try:
            self._write(line)
        except OSError as error:
            raise self._full(error.strerror) from error

    def write_waiting(self, *, at_once: bool = False) -> str | None:
        """To be called now and then; what a person should know about events that wait."""
        if self._waiting is None:
            return None
        self._waiting.write_out(self._write, at_once=at_once)
        return self._waiting.news()

    def tail(self) -> list[dict[str, Any]]:
        """The last events of the current run, oldest first."""
        events: list[dict[str, Any]] = []
        for line in self._end().split(b"\n"):
            try:
                event = json_text.read(line)
            except ValueError:
                continue  # the half line of a writer that was killed, or where the tail begins
            if isinstance(event, dict):
                events = [] if event.get("type") == "end" else [*events, event]
        return events

    def close(self) -> None:
        """OutputError when events are lost by it."""
        if self._waiting is not None:
            self._waiting.write_out(self._write, at_once=True)
        if self._lines is not None:
            self._lines.close()
            self._lines = None
        if self._waiting:
            raise self._full(f"{len(self._waiting)} events are lost")

    def _write(self, line: bytes) -> None:
        if self._lines is None:
            self._lines = Lines(self.path)
        if 0 < self._part_bytes <= self._lines.size:
            rotate(self.path, least_bytes=self._part_bytes)
        self._lines.append(line)

    def _full(self, saw: str | None) -> OutputError:
        return OutputError("Events can no longer be written.", saw=f"{self.path}: {saw}", fix="make room on the disk")

    def _end(self) -> bytes:
        """The last bytes, also when the file has just begun anew."""
        if self._lines is None:
            return b""
        end = self._lines.end(_TAIL_BYTES)
        parts = older_parts(self.path) if self._lines.size < _TAIL_BYTES else []
        if not parts:
            return end
        with parts[-1].open("rb") as before:
            before.seek(max(0, before.seek(0, os.SEEK_END) - _TAIL_BYTES))
            return before.read() + end


def line_of(event: Mapping[str, object]) -> bytes:
    return json.dumps(event, ensure_ascii=False, separators=(", ", ": ")).encode()


def open_log(config: RunConfig) -> EventLog | None:
    output = config.output
    if output.events is None:
        return None
    run, part_bytes = output.event_run or "", output.event_part_bytes
    return EventLog(output.events, part_bytes=part_bytes, run=run, waits=config.endless)
