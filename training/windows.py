"""Which square windows of a scene become samples, and of which kind."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engines.cascade import squares
from engines.crops import Cutter
from engines.halvings import Halvings
from training.overlap import Boxes, inside, overlap
from training.samples import NEGATIVE, PART, POSITIVE, Pieces
from training.scene import Scene

_UNUSED = 255


@dataclass(frozen=True, slots=True)
class Rules:
    """How much a window must share with the square around a face, as intersection over union.

    positive, part  at least
    negative        at most, with every face
    """

    positive: float = 0.65
    part: float = 0.4
    negative: float = 0.3


def random_windows(scene: Scene, random: np.random.Generator, *, each_face: int, others: int, least_px: float) -> Boxes:
    """Windows (N, 4) around every face, more or less off, and anywhere in the picture, of all sizes."""
    faces = squares(scene.boxes_xyxy[~scene.ignored])
    faces = faces[faces[:, 2] - faces[:, 0] >= 0.6 * least_px]
    near = np.repeat(faces, each_face, axis=0)
    sides = near[:, 2:3] - near[:, :1]
    # Some are nearly right, some share half with the face, some hardly touch it.
    spread = random.choice([0.1, 0.2, 0.5], (len(near), 1))
    centres = (near[:, :2] + near[:, 2:]) / 2 + spread * sides * random.uniform(-1, 1, (len(near), 2))
    halves = sides / 2 * np.exp(2.5 * spread * random.uniform(-0.7, 0.7, (len(near), 1)))
    height, width = scene.image_bgr.shape[:2]
    most_px = min(height, width)
    anywhere = np.exp(random.uniform(np.log(least_px), np.log(max(least_px + 1, most_px)), (others, 1)))
    corners = random.uniform(0, 1, (others, 2)) * np.maximum(np.array([width, height]) - anywhere, 0)
    windows = np.concatenate(
        [np.hstack([centres - halves, centres + halves]), np.hstack([corners, corners + anywhere])]
    )
    sides = windows[:, 2:3] - windows[:, :1]
    on_it = np.all((windows[:, :2] > -sides / 2) & (windows[:, 2:] < np.array([width, height]) + sides / 2), axis=1)
    return windows[on_it].astype(np.float32)


def kinds_of(windows: Boxes, scene: Scene, rules: Rules) -> tuple[NDArray[np.uint8], NDArray[np.intp]]:
    """(N,) kind, `_UNUSED` where a window is neither clearly a face nor clearly none; (N,) which face it is about."""
    kinds = np.full(len(windows), _UNUSED, np.uint8)
    if not len(scene.boxes_xyxy):
        kinds[:] = NEGATIVE
        return kinds, np.zeros(len(windows), np.intp)
    shared = overlap(windows, squares(scene.boxes_xyxy))
    mine = np.argmax(shared, axis=1)
    most = shared[np.arange(len(windows)), mine]
    kinds[most >= rules.part] = PART
    kinds[most >= rules.positive] = POSITIVE
    kinds[(most >= rules.part) & scene.ignored[mine]] = _UNUSED
    # Of a small face in a large window little is shared, and yet it is one; so is a piece of what is to be ignored.
    doubtful = scene.ignored & (inside(scene.boxes_xyxy, windows).T > 0.3)
    kinds[(most < rules.negative) & ~doubtful.any(axis=1)] = NEGATIVE
    return kinds, mine


class Piecework:
    """Cuts windows out of scenes, the way the program does, and writes down what there is to be learnt from them."""

    def __init__(self, side_px: int, rules: Rules, *, frame: float = 1.0) -> None:
        """`frame`: what is told of boxes and landmarks is told in sides of that much of the window, around its centre.

        P-Net's corrections count from the middle of the window's first pixel to that of its last.
        """
        self._cutter, self._rules, self._frame = Cutter(side_px), rules, frame

    def pieces(self, scene: Scene, windows: Boxes, most: tuple[int, int, int], random: np.random.Generator) -> Pieces:
        """At most so many negatives, parts and positives, drawn at random."""
        kinds, mine = kinds_of(windows, scene, self._rules)
        chosen = np.concatenate([_some(np.flatnonzero(kinds == kind), most[kind], random) for kind in range(3)])
        chosen = chosen.astype(np.intp)
        windows, kinds, mine = windows[chosen], kinds[chosen], mine[chosen]
        picture = Halvings()
        picture.show(scene.image_bgr)
        pictures = self._cutter.cut([picture], windows, np.zeros(len(windows), np.intp))
        offsets = np.zeros((len(windows), 4), np.float32)
        landmarks = np.full((len(windows), 10), np.nan, np.float32)
        about = kinds != NEGATIVE
        if about.any():
            centres = (windows[about, :2] + windows[about, 2:]) / 2
            sides = (windows[about, 2:] - windows[about, :2]) * self._frame
            corners = np.hstack([centres - sides / 2, centres + sides / 2])
            offsets[about] = (scene.boxes_xyxy[mine[about]] - corners) / np.hstack([sides, sides])
            points = (scene.landmarks[mine[about]] - corners[:, None, :2]) / sides[:, None]
            landmarks[about] = points.transpose(0, 2, 1).reshape(-1, 10)
        return Pieces(pictures, kinds, offsets, landmarks)


def _some(indices: NDArray[np.intp], most: int, random: np.random.Generator) -> NDArray[np.intp]:
    return indices if len(indices) <= most else random.choice(indices, most, replace=False)
