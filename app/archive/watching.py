"""One part of a recording in one process: decoded, faces found and followed, the best looks embedded.

The same engines, tracker and settings as in the pipeline, without its processes: an archive has other parts for the
other cores.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from app.archive.gathering import Gathered, Gathering
from app.archive.recordings import Part
from app.archive.sighting import PART, Point, Sighting, id_of, point_of
from engines.align import align
from engines.load import load_detector, load_embedder
from engines.models import detector_model
from engines.options import EngineOptions
from engines.pursuit import Pursuit, View
from engines.quality import quality
from pipeline.config import CameraConfig
from pipeline.gallery.cutting import cut_out
from pipeline.sources.feed import working_size
from pipeline.stages.recognise import EMBED_BATCH, follow_settings
from pipeline.video import VideoReader
from pipeline.wiring import LARGEST_FRAME_WH, MAX_FACES
from tracker.following import Detected, Following, Step

_JUST_BEFORE_S = 2e-6  # the reader gives what comes after a moment; a part has its first moment, too


@dataclass(frozen=True, slots=True)
class Eyes:
    """How recordings are looked at. size_wh: None: as they come, at most what the pipeline takes"""

    engines: EngineOptions
    size_wh: tuple[int, int] | None = None

    @property
    def said(self) -> str:
        """All that decides which faces are found and followed; what they are compared by, the index knows itself."""
        options = self.engines
        size = "as they come" if self.size_wh is None else f"{self.size_wh[0]}x{self.size_wh[1]}"
        marks = "" if options.thresholds is None else f", thresholds {options.thresholds}"
        return (
            f"detector {options.detector}, size {size}, a search every {options.detect_every} pictures, "
            f"faces from {options.min_face_px} px, pyramid {options.pyramid_factor:g}{marks}"
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Looked:
    step: Step
    quality: NDArray[np.float32]


class Watcher:
    """Holds engines for as many parts as come. A part's result depends on that part alone."""

    def __init__(self, eyes: Eyes) -> None:
        options = eyes.engines
        self._size_wh = eyes.size_wh
        self._every = options.detect_every
        self._detector = load_detector(options, size_wh=eyes.size_wh or LARGEST_FRAME_WH)
        self._embedder = load_embedder(options, batch=EMBED_BATCH)
        self._settings = follow_settings(detector_model(options).known.family, self._embedder.match_threshold)

    def watch(self, part: Part, content: BinaryIO | None = None) -> list[Point]:
        """The sightings, and last the point that says that the part is done.

        content  the file's bytes, where its name is none that FFmpeg could open. Raises SourceError.
        """
        recording = part.recording
        camera = CameraConfig(recording.camera, recording.file, recording.file)
        with closing(VideoReader(camera, content=content)) as reader:
            size_wh = working_size(reader.size_wh, self._size_wh)
            frames, found = self._watched(part, reader, size_wh)
            points = [point_of(self._sighting(part, one, size_wh)) for one in found]
            return [*points, _done(part, frames=frames, sightings=len(points), damage=reader.broke)]

    def close(self) -> None:
        self._detector.close()
        self._embedder.close()

    def _watched(self, part: Part, reader: VideoReader, size_wh: tuple[int, int]) -> tuple[int, list[Gathered]]:
        """How many frames there were, and who was seen."""
        image_bgr = np.empty((size_wh[1], size_wh[0], 3), np.uint8)
        pursuit, following, gathering = Pursuit(self._detector, self._every), Following(self._settings), Gathering()
        found: list[Gathered] = []
        number = 0
        for at_s, picture in _pictures(part, reader):
            reader.fill(picture, image_bgr)
            looked = self._look(pursuit, following, number, at_s, image_bgr)
            found += gathering.take(
                at_s, looked.step, looked.quality, lambda face: cut_out(image_bgr, face.box_xyxy, face.landmarks)
            )
            number += 1
        return number, [*found, *gathering.end()]

    def _look(
        self, pursuit: Pursuit, following: Following, number: int, at_s: float, image_bgr: NDArray[np.uint8]
    ) -> _Looked:
        (faces,) = pursuit.detect([View("", at_s, image_bgr)])
        boxes, scores, landmarks = (
            faces.boxes_xyxy[:MAX_FACES],
            faces.scores[:MAX_FACES],
            faces.landmarks[:MAX_FACES],
        )
        crops_bgr = align(image_bgr, landmarks, self._embedder.crop)
        worth = quality(crops_bgr, boxes, landmarks, scores)
        step = following.step(
            Detected(boxes, scores, landmarks, worth),
            number,
            at_s,
            lambda rows: self._embedder.embed(crops_bgr[rows]),
            size_wh=(image_bgr.shape[1], image_bgr.shape[0]),
        )
        return _Looked(step, worth)

    def _sighting(self, part: Part, one: Gathered, size_wh: tuple[int, int]) -> Sighting:
        recording = part.recording
        left, top, right, bottom = (round(float(v) / size_wh[at % 2], 4) for at, v in enumerate(one.box_xyxy))
        return Sighting(
            id=id_of(part.id, one.track),
            part=part.id,
            recording=recording.sha256,
            file=recording.file,
            camera=recording.camera,
            first=_utc(recording.started_utc + one.first_s),
            last=_utc(recording.started_utc + one.last_s),
            from_s=round(one.first_s, 3),
            to_s=round(one.last_s, 3),
            best_s=round(one.shots[0].at_s, 3),
            box=(left, top, right, bottom),
            frames=one.frames,
            shots=len(one.shots),
            quality=round(one.shots[0].quality, 4),
            space=self._embedder.space,
            embedding=one.embedding,
            cutout=one.cutout,
        )


def _pictures(part: Part, reader: VideoReader) -> Iterator[tuple[float, Any]]:
    """(seconds from the beginning of the recording, picture) of this part, each in one part only."""
    began_s = part.recording.began_s
    after_s = began_s + part.from_s - _JUST_BEFORE_S if part.from_s else None
    for at_s, picture in reader.frames(after_s=after_s):
        since_s = at_s - began_s
        if part.to_s is not None and since_s >= part.to_s - _JUST_BEFORE_S / 2:
            return
        yield since_s, picture


def _done(part: Part, *, frames: int, sightings: int, damage: str | None) -> Point:
    recording = part.recording
    said = {"recording": recording.sha256, "file": recording.file, "camera": recording.camera}
    span = {"from_s": part.from_s, "to_s": part.to_s, "length_s": part.length_s}
    return Point(
        part.id, {"kind": PART, **said, **span, "frames": frames, "sightings": sightings, "damage": damage or ""}
    )


def _utc(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
