"""Somebody seen in a recording, from when to when; and the form in which that is kept and sent."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid5

import numpy as np
from numpy.typing import NDArray

from pipeline.gallery.gallery import Cutout

_OURS = UUID("6a1c6d52-7f0e-4b54-9a38-0d6f1f2c9b71")
SIGHTING, PART, RECORDING = "sighting", "part", "recording"


def id_of(*said: object) -> str:
    """The same for the same: what is written twice is there once."""
    return str(uuid5(_OURS, "/".join(map(str, said))))


@dataclass(frozen=True, slots=True)
class Sighting:
    """One face over time in one part of a recording.

    id            follows from the recording's content, the part and the track
    part          id of the part
    recording     sha256 of the file
    file          where the recording lay when it was indexed
    first, last   UTC, ISO 8601
    from_s, to_s  the same moments in the file, seconds from its beginning
    best_s        moment of the clearest look, seconds from the beginning
    box           where the face was then: left, top, right, bottom in parts of the picture's width and height
    frames        in which the face was found
    shots         looks that the embedding was made of
    quality       of the clearest look, 0…1
    embedding     (D,) float32 of unit length, in `space`
    """

    id: str
    part: str
    recording: str
    file: str
    camera: str
    first: str
    last: str
    from_s: float
    to_s: float
    best_s: float
    box: tuple[float, float, float, float]
    frames: int
    shots: int
    quality: float
    space: str
    embedding: NDArray[np.float32]
    cutout: Cutout


@dataclass(frozen=True, slots=True, eq=False)
class Point:
    """What a shelf keeps. vector None: it only says that something was done"""

    id: str
    payload: dict[str, Any]
    vector: NDArray[np.float32] | None = None


def point_of(seen: Sighting) -> Point:
    payload = {name: getattr(seen, name) for name in _PLAIN}
    landmarks = [round(float(value), 2) for value in seen.cutout.landmarks.reshape(-1)]
    crop = {"jpeg": base64.b64encode(seen.cutout.jpeg).decode("ascii"), "landmarks": landmarks}
    return Point(seen.id, {"kind": SIGHTING, **payload, "box": list(seen.box), "crop": crop}, seen.embedding)


def sighting_of(one: str, payload: Mapping[str, Any], embedding: NDArray[np.float32]) -> Sighting:
    crop = payload["crop"]
    landmarks = np.asarray(crop["landmarks"], np.float32).reshape(5, 2)
    plain = {name: payload[name] for name in _PLAIN}
    left, top, right, bottom = payload["box"]
    box = (left, top, right, bottom)
    return Sighting(
        id=one, box=box, embedding=embedding, cutout=Cutout(base64.b64decode(crop["jpeg"]), landmarks), **plain
    )


def packed(points: list[Point]) -> str:
    """Text for the way from one process to another."""
    return json.dumps(
        [
            {"id": one.id, "payload": one.payload, "vector": None if one.vector is None else _text(one.vector)}
            for one in points
        ]
    )


def unpacked(text: str) -> list[Point]:
    return [
        Point(one["id"], one["payload"], None if one["vector"] is None else _vector(one["vector"]))
        for one in json.loads(text)
    ]


_PLAIN = (
    "part",
    "recording",
    "file",
    "camera",
    "first",
    "last",
    "from_s",
    "to_s",
    "best_s",
    "frames",
    "shots",
    "quality",
    "space",
)


def _text(vector: NDArray[np.float32]) -> str:
    return base64.b64encode(vector.astype("<f4").tobytes()).decode("ascii")


def _vector(text: str) -> NDArray[np.float32]:
    return np.frombuffer(base64.b64decode(text), "<f4").astype(np.float32)
