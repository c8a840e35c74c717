"""What happened, for other programs: JSON, one object on a line, appended whole, so that processes share a file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pipeline.clock import utc_iso
from pipeline.messages import FrameRef, NamedFace, Why


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


def disk(state: str, why: str) -> dict[str, object]:
    """state  low, enough: the room on a disk that the run writes to"""
    return {"type": "disk", "state": state, "t": utc_iso(), "why": why}


def gallery(state: str, **more: object) -> dict[str, object]:
    """state  away, back: the gallery's server"""
    return {"type": "gallery", "state": state, "t": utc_iso(), **more}


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
