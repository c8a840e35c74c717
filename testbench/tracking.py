"""How well faces are followed over synthetic scenes with known truth, the way the program follows them.

Beside it stand the same with boxes only (nothing is embedded) and the ceiling: perfect ids on the same detections.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from pipeline.stages.recognise import follow_settings
from testbench.steadiness import Drawn, Steadiness, steadiness
from testbench.synthetic_scene import KINDS, NOBODY, SITTING, TALKING, Scene
from testbench.synthetic_tracks import SceneFrame, play
from testbench.track_score import Scored, score
from tracker.cost import iou
from tracker.following import Detected, Following, FollowSettings, Step
from tracker.tracker import Tracker

FPS = 25.0
FIRST_SEED = 700  # nothing was tuned on seeds from here on
SAME_THRESHOLD = 0.478  # of SFace, whose cosines the synthetic looks have
RIGHT_IOU = 0.5


@dataclass(frozen=True, slots=True)
class KindFigures:
    """idf1             over the scenes of one kind, their mean, as are the others but for id_switches, a sum
    idf1_boxes_only  when nothing is embedded
    idf1_perfect     with the true id on every detection
    shots_per_frame  how many faces are embedded
    """

    idf1: float
    idf1_boxes_only: float
    idf1_perfect: float
    mota: float
    id_switches: int
    shots_per_frame: float


@dataclass(frozen=True, slots=True)
class _Run:
    frames: Sequence[SceneFrame]
    steps: Sequence[Step]
    ms: Sequence[float]


def measure(seeds: int, kinds: Mapping[str, Scene] = KINDS) -> dict[str, object]:
    boxes_ms: list[float] = []
    whole_ms: list[float] = []
    figures: dict[str, KindFigures] = {}
    expected_right: list[bool] = []
    walks: list[list[Drawn]] = []
    for name, scene in tqdm(kinds.items(), desc="kinds of scenes", unit="", disable=None, leave=False):
        runs = [_follow(frames, _settings(), scene.size_wh) for frames in _scenes(scene, seeds)]
        for run in runs:
            boxes_ms += _update_ms(run.frames)
            whole_ms += run.ms
            expected_right += _expected_right(run)
        figures[name] = _kind(runs, scene.size_wh)
        if scene.frames_elapsed == (1,):
            walks += [_drawn(run) for run in runs]
    still, talking = (
        steadiness(_drawn(_follow(frames, _settings(), scene.size_wh)) for frames in _scenes(scene, seeds))
        for scene in (SITTING, TALKING)
    )
    return {
        "idf1": _mean(figures, "idf1"),
        "idf1_boxes_only": _mean(figures, "idf1_boxes_only"),
        "idf1_perfect": _mean(figures, "idf1_perfect"),
        "mota": _mean(figures, "mota"),
        "id_switches": sum(kind.id_switches for kind in figures.values()),
        "ms_per_frame": round(float(np.median(boxes_ms)), 4),
        "ms_per_frame_with_smoothing": round(float(np.median(whole_ms)), 4),
        "shots_per_frame": _mean(figures, "shots_per_frame"),
        "expected_right": round(float(np.mean(expected_right)), 4) if expected_right else None,
        "scenes": seeds * len(kinds),
        "kinds": {name: {key: _short(getattr(kind, key)) for key in kind.__slots__} for name, kind in figures.items()},
        **_steadiness_figures(still, talking, steadiness(walks)),
    }


def _steadiness_figures(still: Steadiness, talking: Steadiness, walking: Steadiness) -> dict[str, object]:
    """Jitter is seen in a face at rest and lag in one that moves."""
    return {
        "jitter_ratio": _short(still.jitter_ratio),
        "jitter_ratio_talking": _short(talking.jitter_ratio),
        "jitter_ratio_walking": _short(walking.jitter_ratio),
        "lag_frames": _short(walking.lag_frames),
        "lag_frames_talking": _short(talking.lag_frames),
        "drawn_error": {"sitting": _short(still.error), "walking": _short(walking.error)},
        "detected_error": {"sitting": _short(still.error_detected), "walking": _short(walking.error_detected)},
    }


def _settings() -> FollowSettings:
    return follow_settings("mtcnn", SAME_THRESHOLD)


def _scenes(scene: Scene, seeds: int) -> Iterator[list[SceneFrame]]:
    return (list(play(replace(scene, seed=FIRST_SEED + at))) for at in range(seeds))


def _kind(runs: Sequence[_Run], size_wh: tuple[int, int]) -> KindFigures:
    ours = [score(_scored(run)) for run in runs]
    boxes_only = [score(_scored(_follow(run.frames, replace(_settings(), recall=None), size_wh))) for run in runs]
    return KindFigures(
        idf1=float(np.mean([found.idf1 for found in ours])),
        idf1_boxes_only=float(np.mean([found.idf1 for found in boxes_only])),
        idf1_perfect=float(np.mean([score(_perfect(run.frames)).idf1 for run in runs])),
        mota=float(np.mean([found.mota for found in ours])),
        id_switches=sum(found.id_switches for found in ours),
        shots_per_frame=float(
            np.mean([sum(face.embedding is not None for face in step.faces) for run in runs for step in run.steps])
        ),
    )


def _follow(frames: Sequence[SceneFrame], settings: FollowSettings, size_wh: tuple[int, int]) -> _Run:
    following, at = Following(settings), 0
    steps, took_ms = [], []
    for frame in frames:
        at += frame.frames_elapsed
        seen = Detected(frame.boxes_xyxy, frame.scores, frame.landmarks, frame.quality)

        def embed(rows: list[int], frame: SceneFrame = frame) -> NDArray[np.float32]:
            return frame.embeddings[rows]

        start_s = time.perf_counter()
        steps.append(following.step(seen, at, at / FPS, embed, size_wh=size_wh))
        took_ms.append(1000 * (time.perf_counter() - start_s))
    return _Run(frames, steps, took_ms)


def _update_ms(frames: Sequence[SceneFrame]) -> list[float]:
    """What the tracker alone takes, without looks and smoothing: the work that other trackers do, too."""
    tracker, took_ms = Tracker(), []
    for frame in frames:
        start_s = time.perf_counter()
        tracker.update(frame.boxes_xyxy, frame.scores, frames_elapsed=frame.frames_elapsed)
        took_ms.append(1000 * (time.perf_counter() - start_s))
    return took_ms


def _scored(run: _Run) -> Iterator[Scored]:
    """Boxes as they are drawn."""
    for frame, step in zip(run.frames, run.steps, strict=True):
        ids = np.array([face.track for face in step.faces], np.int64)
        boxes = np.array([face.box_xyxy for face in step.faces], np.float32).reshape(-1, 4)
        yield Scored(frame.ids, frame.truth_xyxy, ids, boxes)


def _perfect(frames: Sequence[SceneFrame]) -> Iterator[Scored]:
    for frame in frames:
        real = frame.owners != NOBODY
        yield Scored(frame.ids, frame.truth_xyxy, frame.owners[real], frame.boxes_xyxy[real])


def _drawn(run: _Run) -> list[Drawn]:
    frames = []
    for frame, step in zip(run.frames, run.steps, strict=True):
        faces = [
            (f, f.detection) for f in step.faces if f.detection is not None and frame.owners[f.detection] != NOBODY
        ]
        rows = [row for _, row in faces]
        ids = frame.owners[rows]
        truth = {int(person): box for person, box in zip(frame.ids, frame.truth_xyxy, strict=True)}
        frames.append(
            Drawn(
                ids,
                np.array([truth[int(person)] for person in ids], np.float64).reshape(-1, 4),
                frame.boxes_xyxy[rows].astype(np.float64),
                np.array([face.box_xyxy for face, _ in faces], np.float64).reshape(-1, 4),
            )
        )
    return frames


def _expected_right(run: _Run) -> list[bool]:
    """Whether each face that was drawn without having been seen was where the person of its track really was."""
    right, person_of = [], dict[int, int]()
    for frame, step in zip(run.frames, run.steps, strict=True):
        person_of.update({f.track: int(frame.owners[f.detection]) for f in step.faces if f.detection is not None})
        for face in step.expected:
            where = frame.all_xyxy[frame.all_ids == person_of.get(face.track, NOBODY)].astype(np.float64)
            right.append(
                bool(len(where)) and float(iou(where, face.box_xyxy[None].astype(np.float64))[0, 0]) >= RIGHT_IOU
            )
    return right


def _mean(figures: Mapping[str, KindFigures], key: str) -> float:
    return round(float(np.mean([getattr(kind, key) for kind in figures.values()])), 4)


def _short(value: float) -> float:
    return value if isinstance(value, int) else round(value, 4)
