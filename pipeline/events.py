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
from pipeline.lines import Lines
from pipeline.messages import FrameRef, NamedFace, Why
from pipeline.parts import older_parts, rotate

_TAIL_BYTES = 1 << 18


class EventLog:
    """An open file of events. Somebody's events can be erased from it meanwhile (`pipeline.erasure`).

    part_bytes  how long it may be before it goes on in a new file; 0: as long as it likes
    run         added to each event, if it is not empty
    """

    def __init__(self, path: Path, *, part_bytes: int = 0, run: str = "") -> None:
        self.path = path
        self._part_bytes = part_bytes
        self._mark = {"run": run} if run else {}
        try:
            self._lines = Lines(path)
        except OSError as error:
            raise OutputError(
                "Events cannot be written.",
                saw=f"--events {path}: {error.strerror}",
                fix="give a file in a writable folder",
            ) from error

    def append(self, event: Mapping[str, object]) -> None:
        try:
            if 0 < self._part_bytes <= self._lines.size:
                rotate(self.path, least_bytes=self._part_bytes)
            self._lines.append(line_of({**event, **self._mark}))
        except OSError as error:
            raise OutputError(
                "Events can no longer be written.", saw=f"{self.path}: {error.strerror}", fix="make room on the disk"
            ) from error

    def tail(self) -> list[dict[str, Any]]:
        """The last events of the current run, oldest first."""
        events: list[dict[str, Any]] = []
        for line in self._end().split(b"\n"):
            try:
                event = json.loads(line)
            except ValueError:
                continue  # the half line of a writer that was killed, or where the tail begins
            if isinstance(event, dict):
                events = [] if event.get("type") == "end" else [*events, event]
        return events

    def close(self) -> None:
        self._lines.close()

    def _end(self) -> bytes:
        """The last bytes, also when the file has just begun anew."""
        end = self._lines.end(_TAIL_BYTES)
        parts = older_parts(self.path) if self._lines.size < _TAIL_BYTES else []
        if not parts:
            return end
        with parts[-1].open("rb") as before:
            before.seek(max(0, before.seek(0, os.SEEK_END) - _TAIL_BYTES))
            return before.read() + end


def line_of(event: Mapping[str, object]) -> bytes:
    return json.dumps(event, ensure_ascii=False, separators=(", ", ": ")).encode()


def identity(ref: FrameRef, face: NamedFace, embedding_space: str, why: Why | None = None) -> dict[str, object]:
    event: dict[str, object] = {
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
        "id": event_id(ref.camera, ref.seq, face.track),
    }
    return event if why is None else {**event, "why": _told(why)}


def event_id(camera: str, frame: int, track: int) -> str:
    return f"{camera}/{frame}/{track}"


def camera(name: str, state: str, **more: object) -> dict[str, object]:
    """state  up, lost, reconnecting"""
    return {"type": "camera", "camera": name, "state": state, "t": utc_iso(), **more}


def stage(name: str, state: str, **more: object) -> dict[str, object]:
    """state  restarted, failed"""
    return {"type": "stage", "stage": name, "state": state, "t": utc_iso(), **more}


def gallery(state: str, **more: object) -> dict[str, object]:
    """state  away, back: the gallery's server"""
    return {"type": "gallery", "state": state, "t": utc_iso(), **more}


def open_log(config: RunConfig) -> EventLog | None:
    output = config.output
    if output.events is None:
        return None
    return EventLog(output.events, part_bytes=output.event_part_bytes, run=output.event_run or "")


class Telling:
    """Which identities are worth an event: a new or changed name at once, an unchanged one now and then."""

    def __init__(self, every_s: float) -> None:
        self._every_s = every_s
        self._told: dict[tuple[str, int], tuple[str, str | None, float]] = {}
        self._whys: dict[tuple[str, int], Why] = {}

    def hear(self, ref: FrameRef, faces: tuple[NamedFace, ...]) -> None:
        """Of every frame, also of those that are not told: why a face has its name comes only once."""
        for face in faces:
            if face.why is not None:
                self._whys[ref.camera, face.track] = face.why
        _forget_old(self._whys)

    def due(self, ref: FrameRef, faces: tuple[NamedFace, ...]) -> Iterator[NamedFace]:
        for face in faces:
            key = (ref.camera, face.track)
            state, name, told_s = self._told.get(key, ("", None, 0.0))
            if (state, name) != (face.state, face.name) or not 0 <= ref.pts_s - told_s < self._every_s:
                self._told[key] = (face.state, face.name, ref.pts_s)
                yield face
        _forget_old(self._told)

    def why(self, ref: FrameRef, face: NamedFace) -> Why | None:
        """Once for each name or state: in the first event that tells it."""
        return self._whys.pop((ref.camera, face.track), None)


def _forget_old(known: dict[tuple[str, int], Any], most: int = 4096) -> None:
    if len(known) > most:
        for key in list(known)[: most // 2]:
            del known[key]


def _told(why: Why) -> dict[str, object]:
    told: dict[str, object] = {
        "threshold": round(why.threshold, 4),
        "margin": round(why.margin, 4),
        "runner_up": why.runner_up,
        "shots": [
            {
                "frame": shot.frame,
                "quality": round(shot.quality, 3),
                "nearest": [[name, round(score, 4), picture] for name, score, picture in shot.nearest],
            }
            for shot in why.shots
        ],
    }
    return {**told, "stranger": True} if why.by_stranger else told
