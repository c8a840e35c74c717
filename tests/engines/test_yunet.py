"""YuNet with its real weights: it finds what OpenCV's own detector finds with the same file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from checkpoints import manifest, store
from checkpoints.onnx_file import Value, read, write
from engines import openvino_engine, yunet
from engines.options import EngineOptions, Precision
from engines.single_stage import SingleStage
from engines.spec import engine_spec

Picture = NDArray[np.uint8]
Make = Callable[..., SingleStage]


@pytest.fixture
def make(options: EngineOptions, model: Callable[[str], str]) -> Iterator[Make]:
    known = manifest.load(model("yunet"))
    files = store.locate(known, options.models)
    made = []

    def detector(precision: Precision = "fp32", min_face_px: int = 10, **more: float) -> SingleStage:
        made.append(
            yunet.YUNET.detector(
                lambda sheet_wh: openvino_engine.open_engine(
                    engine_spec(
                        known,
                        files,
                        "net",
                        yunet.YUNET.outputs,
                        batch=1,
                        size_wh=sheet_wh,
                        precision=precision,
                        threads=1,
                    ),
                    options.cache,
                ),
                min_face_px=min_face_px,
                **more,
            )
        )
        return made[-1]

    yield detector
    for one in made:
        one.close()


def _opencv(options: EngineOptions, folder: Path, picture: Picture, least_score: float) -> NDArray[np.float32]:
    """(N, 15): x, y, width, height, five points, score."""
    network = read((options.models / manifest.load("yunet").files[0].name).read_bytes())
    height, width = picture.shape[:2]
    # OpenCV wants a size in the file, and takes others.
    network.inputs = [Value(value.name, (1, 3, 640, 640), value.dtype) for value in network.inputs]
    path = folder / "yunet_of_one_size.onnx"
    path.write_bytes(write(network))
    detector = cv2.FaceDetectorYN.create(str(path), "", (width, height), least_score, yunet.YUNET.same_face, 1000)
    _, found = detector.detect(picture)
    return np.zeros((0, 15), np.float32) if found is None else np.asarray(found, np.float32)


@pytest.mark.parametrize("least_score", [0.3, 0.6])
@pytest.mark.parametrize("size_wh", [(960, 540), (640, 360), (333, 287)])
def test_the_same_faces_as_opencv_finds(
    size_wh: tuple[int, int],
    least_score: float,
    make: Make,
    options: EngineOptions,
    crowd: Picture,
    tmp_path: Path,
) -> None:
    picture = np.asarray(cv2.resize(crowd, size_wh, interpolation=cv2.INTER_AREA), np.uint8)
    detector = make(min_face_px=1, least_score=least_score)
    detector.prepare(size_wh)
    (mine,) = detector.detect([picture])
    theirs = _opencv(options, tmp_path, picture, least_score)
    theirs = theirs[np.argsort(-theirs[:, 14])]
    assert len(mine) == len(theirs) >= 4
    corners = np.concatenate([theirs[:, :2], theirs[:, :2] + theirs[:, 2:4]], axis=1)
    np.testing.assert_allclose(mine.scores, theirs[:, 14], atol=1e-4)
    np.testing.assert_allclose(mine.boxes_xyxy, np.clip(corners, 0, size_wh * 2), atol=0.05)
    np.testing.assert_allclose(mine.landmarks.reshape(-1, 10), theirs[:, 4:14], atol=0.05)


def test_in_16_bits_the_same_faces(make: Make, crowd: Picture) -> None:
    exact, rounded = (make(precision).detect([crowd])[0] for precision in ("fp32", "fp16"))
    assert len(exact) == len(rounded) >= 4
    order, other = (np.argsort(faces.boxes_xyxy[:, 0]) for faces in (exact, rounded))
    sides = np.max(exact.boxes_xyxy[order, 2:] - exact.boxes_xyxy[order, :2], axis=1, keepdims=True)
    assert (np.abs(exact.boxes_xyxy[order] - rounded.boxes_xyxy[other]) / sides).max() < 0.1
    np.testing.assert_allclose(exact.scores[order], rounded.scores[other], atol=0.05)


def test_on_a_roomier_sheet_almost_the_same(make: Make, crowd: Picture) -> None:
    """Only what lies at the right or lower edge sees the difference."""
    tight, roomy = make(), make()
    tight.prepare((960, 540))
    (one,), (other,) = tight.detect([crowd]), roomy.detect([crowd])
    assert len(one) == len(other) >= 4
    np.testing.assert_allclose(one.boxes_xyxy, other.boxes_xyxy, atol=2)
    np.testing.assert_allclose(one.scores, other.scores, atol=0.02)


@pytest.mark.parametrize("side_px", [1500, 2600])
def test_a_face_that_fills_a_large_photograph(side_px: int, make: Make, astronaut: Picture) -> None:
    """On the first sheet alone its score would be below 0.8."""
    picture = cv2.resize(astronaut[20:260, 110:350], (side_px, side_px), interpolation=cv2.INTER_CUBIC)
    (faces,) = make().detect([np.asarray(picture, np.uint8)])
    assert len(faces) >= 1
    assert faces.scores[0] > 0.85
    left, top, right, bottom = faces.boxes_xyxy[0] / side_px
    assert left < 0.4 < 0.6 < right
    assert top < 0.35 < 0.6 < bottom


def test_landmarks_come_in_the_usual_order(make: Make, astronaut: Picture) -> None:
    (faces,) = make().detect([astronaut])
    eye, other_eye, nose, mouth, other_mouth = faces.landmarks[0]
    assert eye[0] < nose[0] < other_eye[0]
    assert eye[1] < nose[1] < mouth[1]
    assert mouth[0] < other_mouth[0]


def test_faces_below_the_smallest_are_left_out(make: Make, crowd: Picture) -> None:
    everything, large = (make(min_face_px=side).detect([crowd])[0] for side in (10, 150))
    sides = np.max(everything.boxes_xyxy[:, 2:] - everything.boxes_xyxy[:, :2], axis=1)
    assert 0 < len(large) < len(everything)
    assert len(large) == np.count_nonzero(sides >= 105)
