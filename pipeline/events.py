"""What happened, for other programs: JSON, one object on a line, appended whole, so that processes share a file."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from checkpoints.errors import OutputError
from pipeline.clock import utc_iso
from pipeline.config import RunConfig
from pipeline.messages import FrameRef, NamedFace

_TAIL_BYTES = 1 << 16


class EventLog:
    """An open file of events. A line is one write at the end of the file: lines of several processes do not mix."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_CLOEXEC", 0), 0o644)
        except OSError as error:
            raise OutputError(
                "Events cannot be written.",
                saw=f"--events {path}: {error.strerror}",
                fix="give a file in a writable folder",
            ) from error

    def append(self, event: Mapping[str, object]) -> None:
        line = json.dumps(event, ensure_ascii=False, separators=(", ", ": ")) + "\n"
        data = line.encode()
        try:
            written = os.write(self._fd, data)
        except OSError as error:
            raise OutputError(
                "Events can no longer be written.", saw=f"{self.path}: {error.strerror}", fix="make room on the disk"
            ) from error
        if written < len(data):
            raise OutputError(
                "Events can no longer be written.", saw=f"{self.path}: the disk is full", fix="make room on the disk"
            )

    def tail(self) -> list[dict[str, Any]]:
        """The last events of the current run, oldest first."""
        size = os.fstat(self._fd).st_size
        start = max(0, size - _TAIL_BYTES)
        lines = os.pread(self._fd, size - start, start).split(b"\n")
        events: list[dict[str, Any]] = []
        for line in lines[1 if start else 0 :]:
            try:
                event = json.loads(line)
            except ValueError:
                continue  # the half line of a writer that was killed
            events = [] if event.get("type") == "end" else [*events, event]
        return events

    def close(self) -> None:
        os.close(self._fd)


def identity(ref: FrameRef, face: NamedFace, embedding_space: str) -> dict[str, object]:
    return {
        "type": "identity",
        "camera": ref.camera,
        "frame": ref.seq,
        "t": utc_iso(ref.captured_ns),
        "track": face.track,
        "box": [round(float(v), 1) for v in face.box_xyxy],
        "name": face.name,
        "state": face.state,
        "score": round(face.score, 4),
        "margin": round(face.margin, 4),
        "votes": face.votes,
        "quality": round(face.quality, 3),
        "embedding_space": embedding_space,
    }


def camera(name: str, state: str, **more: object) -> dict[str, object]:
    """state  up, lost, reconnecting"""
    return {"type": "camera", "camera": name, "state": state, "t": utc_iso(), **more}


def stage(name: str, state: str, **more: object) -> dict[str, object]:
    """state  restarted, failed"""
    return {"type": "stage", "stage": name, "state": state, "t": utc_iso(), **more}


def open_log(config: RunConfig) -> EventLog | None:
    return EventLog(config.output.events) if config.output.events else None


class Telling:
    """Which identities are worth an event: a new or changed name at once, an unchanged one now and then."""

    def __init__(self, every_s: float) -> None:
        self._every_s = every_s
        self._told: dict[tuple[str, int], tuple[str, str | None, float]] = {}

    def due(self, ref: FrameRef, faces: tuple[NamedFace, ...]) -> Iterator[NamedFace]:
        for face in faces:
            key = (ref.camera, face.track)
            state, name, told_s = self._told.get(key, ("", None, 0.0))
            if (state, name) != (face.state, face.name) or not 0 <= ref.pts_s - told_s < self._every_s:
                self._told[key] = (face.state, face.name, ref.pts_s)
                yield face
        if len(self._told) > 4096:
            self._told = dict(list(self._told.items())[2048:])
