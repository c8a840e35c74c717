from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from numpy.typing import NDArray

from checkpoints.manifest import Family
from engines.options import EngineOptions
from pipeline.messages import AlignedFaces, FrameRef, Tracks
from pipeline.stages import recognise
from pipeline.stages.recognise import Recognise, follow_settings
from tracker.tracker import Tracker

SIDE = 8
ADA, BOB = 10, 200  # grey levels
REF = FrameRef("door", epoch=0, seq=0, pts_s=0.0, captured_ns=0, position=0, size_wh=(640, 360))


class GreyEmbedder:
    """Dark faces look one way and bright ones another."""

    match_threshold = 0.5

    class crop:  # noqa: N801
        size_px = SIDE

    def __init__(self) -> None:
        self.batches: list[int] = []

    def embed(self, crops_bgr: NDArray[np.uint8]) -> NDArray[np.float32]:
        self.batches.append(len(crops_bgr))
        return np.eye(2, dtype=np.float32)[(crops_bgr.mean(axis=(1, 2, 3)) > 128).astype(int)]

    def close(self) -> None:
        """Holds nothing."""


class _Config:
    def __init__(self) -> None:
        self.engines = EngineOptions(models=Path("nowhere"))


class _Context:
    def __init__(self, generation: int) -> None:
        self.config = _Config()
        self.generation = generation


class _Known:
    class known:  # noqa: N801
        family = "mtcnn"


@pytest.fixture
def embedder(monkeypatch: pytest.MonkeyPatch) -> GreyEmbedder:
    made = GreyEmbedder()
    monkeypatch.setattr(recognise, "load_embedder", lambda options, **_: made)
    monkeypatch.setattr(recognise, "detector_model", lambda options: _Known)
    return made


def _stage(generation: int = 0) -> Recognise:
    context: Any = _Context(generation)
    return recognise.open_stage(context)


def _faces(ref: FrameRef, *people: tuple[float, int], quality: float = 0.8) -> AlignedFaces:
    boxes = np.array([[x - 24, 70, x + 24, 130] for x, _ in people], np.float32).reshape(-1, 4)
    crops = np.stack([np.full((SIDE, SIDE, 3), grey, np.uint8) for _, grey in people] or [np.zeros((0,))])
    count = len(people)
    return AlignedFaces(
        ref,
        boxes,
        np.full(count, 0.999, np.float32),
        np.repeat(boxes[:, None, :2], 5, axis=1) + 10,
        crops.astype(np.uint8) if count else np.zeros((0, SIDE, SIDE, 3), np.uint8),
        np.full(count, quality, np.float32),
    )


def _at(seq: int, epoch: int = 0, camera: str = "door") -> FrameRef:
    return replace(REF, camera=camera, epoch=epoch, seq=seq, pts_s=seq / 25)


def _see(stage: Recognise, ref: FrameRef, *people: tuple[float, int]) -> Tracks:
    (tracks,) = stage.work([_faces(ref, *people)])
    return tracks


def _ids(tracks: Tracks) -> list[int]:
    return [face.track for face in tracks.faces]


def test_a_new_face_has_an_embedding_and_the_next_frame_none(embedder: GreyEmbedder) -> None:
    stage = _stage()
    first, second = (_see(stage, _at(seq), (100, ADA)) for seq in range(2))
    assert first.faces[0].embedding is not None
    assert second.faces[0].embedding is None
    assert (first.faces[0].quality, first.faces[0].score) == (pytest.approx(0.8), pytest.approx(0.999))


def test_a_new_epoch_ends_the_tracks_of_its_camera_and_of_no_other(embedder: GreyEmbedder) -> None:
    stage = _stage()
    for seq in range(5):
        _see(stage, _at(seq), (100, ADA), (300, BOB))
        _see(stage, _at(seq, camera="yard"), (100, ADA))
    begun = _see(stage, _at(5, epoch=1), (100, ADA))
    assert (begun.ended, _ids(begun), begun.revived, begun.expected) == ((1, 2), [3], (), ())
    assert begun.faces[0].embedding is not None
    np.testing.assert_array_equal(begun.faces[0].box_xyxy, [76, 70, 124, 130])
    assert _see(stage, _at(6, epoch=1), (100, ADA)).ended == (), "they end once"
    other = _see(stage, _at(5, camera="yard"), (100, ADA))
    assert (other.ended, _ids(other)) == ((), [1])


def test_who_comes_back_has_the_old_id(embedder: GreyEmbedder) -> None:
    stage = _stage()
    for seq in range(5):
        _see(stage, _at(seq), (100, ADA))
    for seq in range(5, 60):
        assert _see(stage, _at(seq)).ended == ()
    assert _ids(_see(stage, _at(60), (500, ADA))) == [1]
    assert _ids(_see(stage, _at(61), (500, ADA), (100, BOB)))[0] == 1


def test_a_face_out_of_sight_is_expected_and_has_nothing_to_say(embedder: GreyEmbedder) -> None:
    stage = _stage()
    for seq in range(20):
        _see(stage, _at(seq), (100, ADA))
    tracks = _see(stage, _at(20))
    (face,) = tracks.expected
    assert tracks.faces == ()
    assert (face.track, face.score, face.quality, face.embedding) == (1, 0.0, 0.0, None)


def test_a_restarted_stage_gives_other_ids(embedder: GreyEmbedder) -> None:
    assert _ids(_see(_stage(generation=2), _at(0), (100, ADA))) == [2_000_001]


def test_a_full_room_is_embedded_over_some_frames(embedder: GreyEmbedder) -> None:
    stage = _stage()
    people = [(30.0 + 52 * i, ADA if i % 2 else BOB) for i in range(11)]
    embedder.batches.clear()
    for seq in range(6):
        _see(stage, _at(seq), *people)
    assert max(embedder.batches) == recognise.EMBED_BATCH


def test_the_same_frames_give_the_same_records(embedder: GreyEmbedder) -> None:
    runs = []
    for _ in range(2):
        stage = _stage()
        rng = np.random.default_rng(0)
        told = []
        for seq in range(200):
            people = [(rng.uniform(40, 600), int(rng.choice([ADA, BOB]))) for _ in range(rng.integers(0, 4))]
            tracks = _see(stage, _at(seq, epoch=seq // 90), *people)
            told.append((_ids(tracks), tracks.ended, tracks.revived, [f.track for f in tracks.expected]))
        runs.append(told)
    assert runs[0] == runs[1]


@pytest.mark.parametrize("family", get_args(Family))
def test_every_family_of_detectors_has_scores_of_its_own(family: Family) -> None:
    settings = follow_settings(family, 0.5).tracker
    assert settings.low_score < settings.high_score <= settings.new_score < settings.sure_score < 1


def test_a_clear_face_of_yunet_is_told_at_once_and_a_doubtful_one_waits() -> None:
    tracker = Tracker(follow_settings("yunet", 0.5).tracker)
    tracker.update(np.zeros((0, 4), np.float32), np.zeros(0, np.float32))
    boxes = np.array([[0, 0, 48, 60], [200, 0, 248, 60]], np.float32)
    told = tracker.update(boxes, np.array([0.91, 0.76], np.float32)).tracked
    assert [face.detection for face in told] == [0]
    assert [face.detection for face in tracker.update(boxes, np.array([0.91, 0.76], np.float32)).tracked] == [0, 1]
