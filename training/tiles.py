"""One labelled picture as it may come into a scene: turned, stretched, small or large, partly covered."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from training.scene import Scene

_COVERED = 0.2  # share of the pictures whose largest face something covers in part
_MARGINS = (0.35, 2.0)  # around the faces, in heights of the largest


@dataclass(frozen=True, slots=True)
class TileRules:
    """face_px   least and largest height of the largest face; each octave between is as frequent as the others
    turn_deg  standard deviation of the turning
    stretch   standard deviation of the logarithm of width by height
    """

    face_px: tuple[float, float] = (14.0, 220.0)
    turn_deg: float = 12.0
    stretch: float = 0.12


def tile(scene: Scene, rules: TileRules, random: np.random.Generator, most_wh: tuple[int, int]) -> Scene | None:
    """The picture with its faces, at most `most_wh` large; None where the picture has no face to be measured by."""
    if not np.any(~scene.ignored):
        return None
    boxes = scene.boxes_xyxy[~scene.ignored]
    main = boxes[np.argmax(boxes[:, 3] - boxes[:, 1])]
    wanted_px = np.exp(random.uniform(*np.log(rules.face_px)))
    face_px = main[3] - main[1]
    left, top, right, bottom = _frame(scene, main, random)
    if random.random() < _COVERED:
        scene = Scene(_covered(scene.image_bgr, main, random), scene.boxes_xyxy, scene.landmarks, scene.ignored)
    scale = min(wanted_px / face_px, most_wh[0] / (right - left) / 1.1, most_wh[1] / (bottom - top) / 1.1)
    across = scale * np.exp(random.normal(0, rules.stretch))
    size_wh = max(8, int((right - left) * across)), max(8, int((bottom - top) * scale))
    angle = np.deg2rad(random.normal(0, rules.turn_deg))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix = np.diag([across, scale]) @ turn
    centre = np.array([(left + right) / 2, (top + bottom) / 2])
    shift = np.array(size_wh) / 2 - matrix @ centre
    return _moved(scene, np.column_stack([matrix, shift]), size_wh)


def _frame(scene: Scene, main: NDArray[np.float32], random: np.random.Generator) -> tuple[float, float, float, float]:
    """How much of the picture is taken: the largest face and something around it."""
    height, width = scene.image_bgr.shape[:2]
    margins = np.exp(random.uniform(np.log(_MARGINS[0]), np.log(_MARGINS[1]), 4)) * (main[3] - main[1])
    left, top = max(0.0, main[0] - margins[0]), max(0.0, main[1] - margins[1])
    return left, top, min(float(width), main[2] + margins[2]), min(float(height), main[3] + margins[3])


def _moved(scene: Scene, matrix: NDArray[np.float64], size_wh: tuple[int, int]) -> Scene:
    image, into = scene.image_bgr, matrix.copy()
    halvings = max(0, int(np.log2(1 / max(np.linalg.norm(matrix[:, 0]), np.linalg.norm(matrix[:, 1])))))
    for _ in range(halvings):
        image = np.asarray(
            cv2.resize(image, (image.shape[1] // 2, image.shape[0] // 2), interpolation=cv2.INTER_AREA), np.uint8
        )
    into[:, :2] *= 2**halvings
    # From pixel edges, in which boxes are told, to pixel centres, by which OpenCV counts.
    into[:, 2] += into[:, :2] @ np.array([0.5, 0.5]) - 0.5
    moved = cv2.warpAffine(image, into, size_wh, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    boxes = scene.boxes_xyxy.astype(np.float64)
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2 @ matrix[:, :2].T + matrix[:, 2]
    halves = (
        (boxes[:, 2:] - boxes[:, :2]) / 2 * np.array([np.linalg.norm(matrix[0, :2]), np.linalg.norm(matrix[1, :2])])
    )
    landmarks = scene.landmarks @ matrix[:, :2].T + matrix[:, 2]
    whole = np.concatenate([centres - halves, centres + halves], axis=1).astype(np.float32)
    return Scene(np.asarray(moved, np.uint8), whole, landmarks.astype(np.float32), scene.ignored)


def _covered(image_bgr: NDArray[np.uint8], face: NDArray[np.float32], random: np.random.Generator) -> NDArray[np.uint8]:
    """Up to two fifths of the face behind a piece of the same picture, from one side or from below."""
    left, top, right, bottom = face
    width, height = right - left, bottom - top
    share = random.uniform(0.15, 0.4)
    side = random.integers(3)
    if side == 0:
        left, right = left - 0.2 * width, left + share * width
    elif side == 1:
        left, right = right - share * width, right + 0.2 * width
    else:
        top, bottom = bottom - share * height, bottom + 0.3 * height
    rows, columns = image_bgr.shape[:2]
    x1, y1 = max(0, int(left)), max(0, int(top))
    x2, y2 = min(columns, int(right)), min(rows, int(bottom))
    if x2 - x1 < 2 or y2 - y1 < 2:
        return image_bgr
    covered: NDArray[np.uint8] = image_bgr.copy()
    from_y, from_x = int(random.integers(0, rows - (y2 - y1) + 1)), int(random.integers(0, columns - (x2 - x1) + 1))
    piece = image_bgr[from_y : from_y + y2 - y1, from_x : from_x + x2 - x1]
    covered[y1:y2, x1:x2] = piece if random.random() < 0.5 else piece.mean((0, 1)).astype(np.uint8)
    return covered
