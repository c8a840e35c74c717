from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from checkpoints.errors import ModelError
from engines.align import CropSpec
from engines.drift import (
    MOST_LANDMARK_ERROR,
    DetectorDrift,
    EmbedderDrift,
    drift_of_detector,
    drift_of_embedder,
    scenes,
)
from engines.embedder import Embedder
from engines.faces import Faces

TEMPLATE = ((38.3, 51.7), (73.5, 51.5), (56.0, 71.7), (41.5, 92.4), (70.7, 92.2))


class PictureEngine:
    """Says what a small version of the crop looks like, with an error as large as it is told."""

    def __init__(self, error: float = 0.0) -> None:
        self.input = np.zeros((1, 112, 112, 3), np.uint8)
        self.input_shape: tuple[int, ...] = self.input.shape
        self.output_names = ("embedding",)
        self.output_shapes = ((1, 147),)
        self._error = error

    def run(self, batch: NDArray[np.uint8] | None = None) -> tuple[NDArray[np.float32], ...]:
        crop = self.input if batch is None else batch
        seen = crop.reshape(7, 16, 7, 16, 3).mean(axis=(1, 3)).reshape(1, -1) - 127
        noise = np.random.default_rng(1).normal(size=seen.shape) * np.linalg.norm(seen) / np.sqrt(seen.size)
        return ((seen + self._error * noise).astype(np.float32),)

    def close(self) -> None: ...


def embedder(error: float = 0.0) -> Embedder:
    return Embedder([PictureEngine(error)], space="x@sha256:1", crop=CropSpec(112, TEMPLATE), match_threshold=0.5)


class FixedDetector:
    def __init__(self, faces: Faces) -> None:
        self._faces = faces

    def detect(self, images_bgr: Sequence[NDArray[np.uint8]]) -> list[Faces]:
        return [self._faces for _ in images_bgr]

    def refine(self, images_bgr: Sequence[NDArray[np.uint8]], boxes_xyxy: Sequence[NDArray[np.float32]]) -> list[Faces]:
        del boxes_xyxy
        return self.detect(images_bgr)

    def close(self) -> None: ...


def faces(shift: float = 0.0, scores: tuple[float, ...] = (0.99, 0.9), nose: float = 0.0) -> Faces:
    boxes = np.array([(10, 10, 50, 60), (100, 20, 140, 70)], np.float32)[: len(scores)] + np.float32(shift)
    points = np.repeat(boxes[:, None, :2] + 20, 5, axis=1)
    points[:, 2] += nose
    return Faces(boxes, np.array(scores, np.float32), points.astype(np.float32))


def test_the_same_embedder_does_not_drift() -> None:
    drift = drift_of_embedder(embedder(), embedder())
    assert drift.least > 0.99999
    drift.refuse_if_off("it")


def test_a_slight_error_passes_and_a_large_one_is_refused_with_its_figures() -> None:
    slight, large = (drift_of_embedder(embedder(error), embedder()) for error in (0.1, 0.5))
    slight.refuse_if_off("it")
    assert large.mean < slight.mean < 1
    with pytest.raises(ModelError, match="does not give what it gives in fp32") as caught:
        large.refuse_if_off("it")
    assert f"{large.mean:.4f}" in str(caught.value.saw)


def test_an_embedder_that_gives_no_numbers_is_refused() -> None:
    with pytest.raises(ModelError):
        EmbedderDrift(float("nan"), float("nan")).refuse_if_off("it")


def test_the_same_detector_does_not_drift() -> None:
    drift = drift_of_detector(FixedDetector(faces()), FixedDetector(faces()))
    assert drift == DetectorDrift(missed=0, faces=2 * len(list(scenes())), least_iou=1.0, landmark_error=0.0)
    drift.refuse_if_off("it")


@pytest.mark.parametrize(
    "found",
    [
        pytest.param(faces(shift=9), id="boxes elsewhere"),
        pytest.param(faces(nose=40 * MOST_LANDMARK_ERROR + 1), id="a landmark elsewhere"),
        pytest.param(faces(scores=(0.99,)), id="a clear face missed"),
        pytest.param(Faces.none(), id="no face"),
        pytest.param(faces(shift=300), id="other faces"),
    ],
)
def test_a_detector_that_sees_otherwise_is_refused(found: Faces) -> None:
    for one, other in ((found, faces()), (faces(), found)):
        with pytest.raises(ModelError, match="does not give"):
            drift_of_detector(FixedDetector(one), FixedDetector(other)).refuse_if_off("it")


def test_faces_that_are_not_clear_may_come_and_go() -> None:
    drift = drift_of_detector(FixedDetector(faces(scores=(0.99,))), FixedDetector(faces(scores=(0.99, 0.7))))
    assert (drift.missed, drift.faces) == (0, 3)


def test_a_detector_must_find_something_to_be_compared() -> None:
    with pytest.raises(ModelError):
        drift_of_detector(FixedDetector(Faces.none()), FixedDetector(Faces.none())).refuse_if_off("it")
