from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from engines.align import align
from engines.load import crop_spec
from engines.options import EngineOptions
from engines.quality import quality

SPEC = crop_spec(EngineOptions())
FRONTAL = np.array([[190.0, 110], [243, 107], [222, 135], [200, 165], [240, 163]], np.float32)


def _judge(
    picture: NDArray[np.uint8], landmarks: NDArray[np.float32] = FRONTAL, side: float = 110, score: float = 1
) -> float:
    crop = align(picture, landmarks[None], SPEC)
    box = np.array([[0, 0, side, side]], np.float32)
    (worth,) = quality(crop, box, landmarks[None], np.array([score], np.float32))
    assert 0 <= worth <= 1
    return float(worth)


def test_a_portrait_is_good(astronaut: NDArray[np.uint8]) -> None:
    assert _judge(astronaut) > 0.8


def test_each_fault_makes_it_worse(astronaut: NDArray[np.uint8]) -> None:
    good = _judge(astronaut)
    worse = {
        "blurred": _judge(cv2.GaussianBlur(astronaut, (0, 0), 4)),
        "small": _judge(astronaut, side=40),
        "dark": _judge(cv2.convertScaleAbs(astronaut, alpha=0.08)),
        "burnt out": _judge(cv2.convertScaleAbs(astronaut, alpha=2.5)),
        "doubtful": _judge(astronaut, score=0.7),
        "turned": _judge(astronaut, FRONTAL + np.array([[0, 0], [0, 0], [20, 0], [0, 0], [0, 0]], np.float32)),
    }
    assert all(worth < good - 0.1 for worth in worse.values()), worse


def test_more_of_a_fault_is_worse(astronaut: NDArray[np.uint8]) -> None:
    blurred = [_judge(cv2.GaussianBlur(astronaut, (0, 0), sigma)) for sigma in (0.5, 1.5, 3, 5)]
    small = [_judge(astronaut, side=side) for side in (90, 60, 40, 25)]
    darker = [_judge(cv2.convertScaleAbs(astronaut, alpha=light)) for light in (1, 0.2, 0.1, 0.05)]
    brighter = [_judge(cv2.convertScaleAbs(astronaut, alpha=light)) for light in (1, 2, 3, 4)]
    for judged in (blurred, small, darker, brighter):
        assert judged == sorted(judged, reverse=True)
        assert judged[0] > judged[-1]


@pytest.mark.parametrize("fault", ["tiny", "one colour", "profile"])
def test_what_cannot_be_recognised_is_worth_nothing(astronaut: NDArray[np.uint8], fault: str) -> None:
    if fault == "tiny":
        assert _judge(astronaut, side=15) == 0
    elif fault == "one colour":
        assert _judge(np.full_like(astronaut, 90)) == 0
    else:
        profile = FRONTAL + np.array([[0, 0], [0, 0], [40, 0], [0, 0], [0, 0]], np.float32)
        assert _judge(astronaut, profile) == 0


def test_a_dark_picture_is_not_a_blurred_one(astronaut: NDArray[np.uint8]) -> None:
    dim = (astronaut * 0.4).astype(np.uint8)
    assert _judge(dim) > _judge(astronaut) - 0.1


def test_none_and_many(astronaut: NDArray[np.uint8]) -> None:
    none = quality(
        np.zeros((0, 112, 112, 3), np.uint8),
        np.zeros((0, 4), np.float32),
        np.zeros((0, 5, 2), np.float32),
        np.zeros(0, np.float32),
    )
    assert none.shape == (0,)
    landmarks = np.stack([FRONTAL, np.full((5, 2), 40, np.float32)])
    crops = align(astronaut, landmarks, SPEC)
    worths = quality(crops, np.array([[0, 0, 110, 110], [0, 0, 50, 40]], np.float32), landmarks, np.ones(2, np.float32))
    assert worths[0] == pytest.approx(_judge(astronaut))
    assert worths.dtype == np.float32
