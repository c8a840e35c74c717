"""recognise: which face of the last frame each one is, and an embedding for those that are new or seen better."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from checkpoints.manifest import Family
from engines.load import load_embedder
from engines.models import detector_model
from pipeline.messages import AlignedFaces, TrackedFace, Tracks
from pipeline.stage import StageContext
from tracker.following import Detected, Followed, Following, FollowSettings
from tracker.recall import settings_for
from tracker.settings import TrackerSettings
from tracker.shots import ShotSettings

EMBED_BATCH = 4  # a face more a frame would cost latency; a room that fills up is known a frame later
IDS_PER_GENERATION = 1_000_000  # a restarted stage has lost its tracks and must not give their ids again
MEMORY_FRAMES = 250  # how long a face may be out of the picture and be known again

# Detectors are sure of a clear face with different scores. MTCNN gives 0.98 and more; YuNet 0.85 to 0.95 and SCRFD
# 0.7 to 0.9, both rarely more for anything; RetinaFace 0.99, and 0.6 to 0.9 for small and half hidden ones.
_SCORES: Mapping[Family, TrackerSettings] = {
    "mtcnn": TrackerSettings(),
    "yunet": TrackerSettings(high_score=0.7, new_score=0.72, sure_score=0.88),
    "scrfd": TrackerSettings(high_score=0.6, low_score=0.4, new_score=0.62, sure_score=0.75),
    "retinaface": TrackerSettings(high_score=0.7, low_score=0.4, new_score=0.8, sure_score=0.98),
}


def open_stage(context: StageContext) -> Recognise:
    return Recognise(context)


def follow_settings(family: Family | None, match_threshold: float) -> FollowSettings:
    """What suits a detector's scores and an embedder's cosines."""
    tracker = TrackerSettings() if family is None else _SCORES[family]
    return FollowSettings(
        tracker=replace(tracker, memory_frames=MEMORY_FRAMES),
        shots=ShotSettings(max_per_frame=EMBED_BATCH),
        recall=settings_for(match_threshold),
    )


@dataclass(slots=True)
class View:
    """What is remembered of one camera. epoch: the beginning of the camera that it is about"""

    following: Following
    epoch: int


class Recognise:
    def __init__(self, context: StageContext) -> None:
        options = context.config.engines
        self._embedder = load_embedder(options, batch=EMBED_BATCH)
        side = self._embedder.crop.size_px
        self._embedder.embed(np.zeros((1, side, side, 3), np.uint8))  # the first one is always slow
        self._settings = follow_settings(detector_model(options).known.family, self._embedder.match_threshold)
        self._first_id = context.generation * IDS_PER_GENERATION + 1
        self._views: dict[str, View] = {}

    def work(self, records: Sequence[AlignedFaces]) -> list[Tracks]:
        return [self._recognise(faces) for faces in records]

    def idle(self) -> None:
        """Nothing to do between frames."""

    def close(self) -> None:
        self._embedder.close()

    def _view(self, camera: str, epoch: int) -> tuple[View, tuple[int, ...]]:
        """The camera's view, and the tracks that its new beginning has ended."""
        view = self._views.get(camera)
        if view is None:
            view = self._views[camera] = View(Following(self._settings, self._first_id), epoch)
        if view.epoch == epoch:
            return view, ()
        view.epoch = epoch
        return view, view.following.end()

    def _recognise(self, faces: AlignedFaces) -> Tracks:
        view, ended = self._view(faces.ref.camera, faces.ref.epoch)
        seen = Detected(faces.boxes_xyxy, faces.scores, faces.landmarks, faces.quality)

        def embed(rows: list[int]) -> NDArray[np.float32]:
            return self._embedder.embed(faces.crops_bgr[rows])

        step = view.following.step(seen, faces.ref.seq, faces.ref.pts_s, embed, size_wh=faces.ref.size_wh)
        return Tracks(
            faces.ref,
            tuple(_tracked(face, faces) for face in step.faces),
            ended=(*ended, *step.ended),
            revived=step.revived,
            expected=tuple(_tracked(face, faces) for face in step.expected),
        )


def _tracked(face: Followed, faces: AlignedFaces) -> TrackedFace:
    return TrackedFace(
        track=face.track,
        box_xyxy=face.box_xyxy,
        landmarks=face.landmarks,
        score=0.0 if face.detection is None else float(faces.scores[face.detection]),
        quality=0.0 if face.detection is None else float(faces.quality[face.detection]),
        embedding=face.embedding,
    )
