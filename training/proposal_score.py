"""P-Net in a picture: how many of the faces it proposes, and how much work for nothing it leaves to the others."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engines.canvas import paint, plan
from engines.cascade import corrected, log_odds
from engines.engine import Engine
from engines.halvings import Halvings
from engines.models import OpenEngine
from engines.options import EngineOptions
from engines.proposals import Proposals
from tracker.cost import iou
from training.average_precision import share_inside
from training.trio import Trio
from training.truths import Truth, shown
from training.wider_face import LabelledPicture

LEAST_SCORES = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98)
_FOUND_IOU, _NO_FACE_IOU, _INSIDE = 0.5, 0.3, 0.5
_ROUND_PX, _MAX_ENGINES = 64, 16


@dataclass(frozen=True, slots=True)
class ProposalScore:
    """recall               share of the faces that a candidate covers with an IoU of 0.5
    false_per_megapixel  candidates that cover no face with an IoU of 0.3, for a million pixels of the pictures
    """

    least_score: float
    recall: float
    false_per_megapixel: float


def measure(
    trio: Trio,
    truths: Sequence[Truth],
    open_engine: OpenEngine,
    config: EngineOptions,
    least_scores: Sequence[float] = LEAST_SCORES,
) -> list[ProposalScore]:
    counts, wanted, megapixels = np.zeros((len(least_scores), 2)), 0, 0.0
    with closing(_Looks(trio, open_engine, config)) as looks:
        for truth, image_bgr in shown(truths, f"P-Net of {trio.name}"):
            counts += [_counts(boxes, truth.picture) for boxes in looks.candidates(image_bgr, least_scores)]
            wanted += int(np.count_nonzero(~truth.picture.ignored))
            megapixels += image_bgr.shape[0] * image_bgr.shape[1] / 1e6
    return [
        ProposalScore(least, float(found / max(1, wanted)), float(false / megapixels))
        for least, (found, false) in zip(least_scores, counts, strict=True)
    ]


class _Looks:
    """One inference of P-Net for all least scores; engines are kept, since few sizes of the canvas come up."""

    def __init__(self, trio: Trio, open_engine: OpenEngine, config: EngineOptions) -> None:
        self._trio, self._open_engine = trio, open_engine
        self._pyramid = config.min_face_px, config.pyramid_factor
        self._engines: dict[tuple[int, int], Engine] = {}
        self._halvings = Halvings()

    def candidates(self, image_bgr: NDArray[np.uint8], least_scores: Sequence[float]) -> list[NDArray[np.float64]]:
        """For each least score the boxes (N, 4) that R-Net would have to look at, put right by P-Net."""
        canvas = plan((image_bgr.shape[1], image_bgr.shape[0]), *self._pyramid)
        if not canvas.levels:
            return [np.zeros((0, 4))] * len(least_scores)
        canvas_wh = -(-canvas.size_wh[0] // _ROUND_PX) * _ROUND_PX, -(-canvas.size_wh[1] // _ROUND_PX) * _ROUND_PX
        engine = self._engine(canvas_wh)
        self._halvings.show(image_bgr)
        paint(self._halvings, canvas, engine.input[0])
        odds, offsets = engine.run()
        read = [Proposals(canvas, canvas_wh, log_odds(least)).read(odds[0], offsets[0]) for least in least_scores]
        return [corrected(*found).astype(np.float64) for found in read]

    def close(self) -> None:
        for engine in self._engines.values():
            engine.close()
        self._engines.clear()

    def _engine(self, canvas_wh: tuple[int, int]) -> Engine:
        if canvas_wh not in self._engines:
            if len(self._engines) == _MAX_ENGINES:
                self._engines.pop(next(iter(self._engines))).close()
            self._engines[canvas_wh] = self._trio.engine(self._open_engine, "pnet", size_wh=canvas_wh)
        return self._engines[canvas_wh]


def false_at_recall(scores: Sequence[ProposalScore], recall: float) -> float | None:
    """False candidates per megapixel where so many faces are proposed; None: it never proposes so many, or always."""
    order = sorted(scores, key=lambda each: each.recall)
    recalls = [each.recall for each in order]
    if not recalls[0] <= recall <= recalls[-1]:
        return None
    return float(np.interp(recall, recalls, [each.false_per_megapixel for each in order]))


def _counts(boxes_xyxy: NDArray[np.float64], truth: LabelledPicture) -> tuple[int, int]:
    """Faces that are proposed, and candidates that are none."""
    overlap = iou(boxes_xyxy, truth.boxes_xyxy)
    found = np.max(overlap[:, ~truth.ignored], axis=0, initial=0) >= _FOUND_IOU
    excused = share_inside(boxes_xyxy, truth.boxes_xyxy[truth.ignored]).max(axis=1, initial=0) >= _INSIDE
    false = (overlap.max(axis=1, initial=0) < _NO_FACE_IOU) & ~excused
    return int(np.count_nonzero(found)), int(np.count_nonzero(false))
