"""How much a face is worth for recognition, from what the detector already knows and the crop itself."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

# Worth nothing up to the first, everything from the second on. Of the three, sharpness says most about how like a face
# stays to its person's others (SFace, portraits made smaller and blurred); a slight turn says nothing.
_SIDE_PX = (16.0, 64.0)
_SHARPNESS = (0.05, 0.20)
_TURN = (0.45, 0.10)
# Light, too dim or burnt out (SFace's mean cosine to another picture of the same person, 200 people): at a contrast of
# 43 grey levels 0.69, at 11 0.61, at 7 0.53, at 4 0.23; with 12 % of the pixels burnt out 0.67, with 38 % 0.59, with
# 68 % 0.40.
_CONTRAST = (3.0, 15.0)
_SHOWN = (0.2, 0.9)
_BLACK, _BURNT = 8, 250


def quality(
    crops_bgr: NDArray[np.uint8],
    boxes_xyxy: NDArray[np.float32],
    landmarks: NDArray[np.float32],
    scores: NDArray[np.float32],
) -> NDArray[np.float32]:
    """(N,) from 0 to 1 for N aligned crops (N, S, S, 3) with their boxes, landmarks (N, 5, 2) and detector scores.

    The mean of size, sharpness and frontal pose that lets none of them make up for another (the geometric one), times
    exposure and the score.
    """
    greys = [_middle(crop) for crop in crops_bgr]
    sides = np.sqrt(np.maximum(np.prod(boxes_xyxy[:, 2:] - boxes_xyxy[:, :2], axis=1), 0))
    sharp = np.array([_sharpness(grey) for grey in greys])
    lit = np.array([_exposure(grey) for grey in greys])
    worth = _ramp(sides, *_SIDE_PX) * _ramp(sharp, *_SHARPNESS) * _ramp(_turn(landmarks), *_TURN)
    judged: NDArray[np.float32] = (np.cbrt(worth) * lit * np.clip(scores, 0, 1)).astype(np.float32)
    return judged


def _ramp(values: NDArray[np.float64], nothing: float, everything: float) -> NDArray[np.float64]:
    return np.clip((values - nothing) / (everything - nothing), 0, 1)


def _middle(crop_bgr: NDArray[np.uint8]) -> NDArray[np.uint8]:
    border = len(crop_bgr) // 8
    return np.asarray(cv2.cvtColor(crop_bgr[border:-border, border:-border], cv2.COLOR_BGR2GRAY), np.uint8)


def _sharpness(grey: NDArray[np.uint8]) -> float:
    """The share of the contrast that lies in the finest detail, so that a dim face is not taken for a blurred one."""
    detail = cv2.meanStdDev(cv2.Laplacian(grey, cv2.CV_16S))[1]
    contrast = cv2.meanStdDev(grey)[1]
    return float(detail[0, 0] / max(contrast[0, 0], 1.0))


def _exposure(grey: NDArray[np.uint8]) -> float:
    """1 for a face in good light, 0 where next to nothing of it is between black and white."""
    contrast = np.asarray(cv2.meanStdDev(grey)[1][0], np.float64)
    shown = cv2.countNonZero(cv2.inRange(grey, _BLACK + 1, _BURNT - 1)) / grey.size
    return float(np.minimum(_ramp(contrast, *_CONTRAST), _ramp(np.array([shown]), *_SHOWN))[0])


def _turn(landmarks: NDArray[np.float32]) -> NDArray[np.float64]:
    """How far the nose lies beside the middle of the face, in eye distances: 0 from the front."""
    eyes = (landmarks[:, 1] - landmarks[:, 0]).astype(np.float64)
    middle = landmarks[:, [0, 1, 3, 4]].mean(axis=1)
    square = np.maximum(np.sum(eyes * eyes, axis=1), 1.0)
    along: NDArray[np.float64] = np.abs(np.sum((landmarks[:, 2] - middle) * eyes, axis=1)) / square
    return along
