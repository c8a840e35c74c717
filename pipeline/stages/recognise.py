"""recognise: which face of the last frame each one is, and an embedding for those that are new or seen better."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engines.load import load_embedder
from pipeline.messages import AlignedFaces, TrackedFace, Tracks
from pipeline.stage import StageContext
from tracker.shots import ShotPolicy, ShotSettings
from tracker.smooth import Smoother
from tracker.tracker import Tracked, Tracker

EMBED_BATCH = 4  # a face more a frame would cost latency; a room that fills up is known a frame later
IDS_PER_GENERATION = 1_000_000  # a restarted stage has lost its tracks and must not give their ids again


def open_stage(context: StageContext) -> Recognise:
    return Recognise(context)


@dataclass(slots=True)
class View:
    """What is remembered of one camera."""

    tracker: Tracker
    shots: ShotPolicy
    smoother: Smoother
    last_seq: int | None = None


class Recognise:
    def __init__(self, context: StageContext) -> None:
        self._embedder = load_embedder(context.config.engines, batch=EMBED_BATCH)
        side = self._embedder.crop.size_px
        self._embedder.embed(np.zeros((1, side, side, 3), np.uint8))  # the first one is always slow
        self._first_id = context.generation * IDS_PER_GENERATION + 1
        self._views: dict[str, View] = {}

    def work(self, records: Sequence[AlignedFaces]) -> list[Tracks]:
        return [self._recognise(faces) for faces in records]

    def idle(self) -> None:
        """Nothing to do between frames."""

    def close(self) -> None:
        self._embedder.close()

    def _view(self, camera: str) -> View:
        if camera not in self._views:
            shots = ShotPolicy(ShotSettings(max_per_frame=EMBED_BATCH))
            self._views[camera] = View(Tracker(first_id=self._first_id), shots, Smoother())
        return self._views[camera]

    def _recognise(self, faces: AlignedFaces) -> Tracks:
        view, seq = self._view(faces.ref.camera), faces.ref.seq
        elapsed = 1 if view.last_seq is None else max(1, seq - view.last_seq)
        view.last_seq = seq
        update = view.tracker.update(faces.boxes_xyxy, faces.scores, frames_elapsed=elapsed)
        tracked = update.tracked
        embeddings = self._embed(view, faces, tracked)
        boxes, landmarks = self._smooth(view, faces, tracked)
        view.shots.forget(update.ended)
        view.smoother.forget(update.ended)
        seen = tuple(
            TrackedFace(
                track=t.track,
                box_xyxy=boxes[row],
                landmarks=landmarks[row],
                score=float(faces.scores[t.detection]),
                quality=float(faces.quality[t.detection]),
                embedding=embeddings.get(t.track),
            )
            for row, t in enumerate(tracked)
        )
        return Tracks(faces.ref, seen, update.ended)

    def _embed(self, view: View, faces: AlignedFaces, tracked: Sequence[Tracked]) -> dict[int, NDArray[np.float32]]:
        qualities = [float(faces.quality[t.detection]) for t in tracked]
        wanted = view.shots.choose([t.track for t in tracked], qualities, faces.ref.seq)
        chosen = [t for t, wants in zip(tracked, wanted, strict=True) if wants]
        if not chosen:
            return {}
        vectors = self._embedder.embed(faces.crops_bgr[[t.detection for t in chosen]])
        return {t.track: vector for t, vector in zip(chosen, vectors, strict=True)}

    @staticmethod
    def _smooth(
        view: View, faces: AlignedFaces, tracked: Sequence[Tracked]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Boxes (K, 4) and landmarks (K, 5, 2)."""
        rows = [t.detection for t in tracked]
        boxes = faces.boxes_xyxy[rows].reshape(-1, 4)
        both = np.concatenate([boxes, faces.landmarks[rows].reshape(-1, 10)], axis=1)
        heights = boxes[:, 3] - boxes[:, 1]
        calm = view.smoother.update([t.track for t in tracked], both, faces.ref.pts_s, sizes_px=heights)
        return calm[:, :4], calm[:, 4:].reshape(-1, 5, 2)
