from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from engines.engine import Engine
from engines.options import EngineOptions
from engines.proposals import map_length
from engines.spec import EngineSpec
from training.proposal_score import ProposalScore, false_at_recall, measure
from training.trio import Trio
from training.truths import Truth
from training.wider_face import LabelledPicture

SIDE = 60  # with faces of 60 pixels and more the pyramid has one level, of 12 × 12: a single window


class Bright:
    """A P-Net that takes a window for a face if the pixel in its corner is bright: the brighter the surer."""

    def __init__(self, spec: EngineSpec) -> None:
        self.input_shape = spec.input_shape
        self.input = np.zeros(spec.input_shape, np.uint8)
        self.is_open = True

    def run(self) -> tuple[NDArray[np.float32], ...]:
        _, height, width, _ = self.input_shape
        rows, columns = map_length(height), map_length(width)
        odds = self.input[:, : 2 * rows : 2, : 2 * columns : 2, :1].astype(np.float32) / 32 - 4
        return odds, np.zeros((1, rows, columns, 4), np.float32)

    def close(self) -> None:
        self.is_open = False


def _spec(path: Path) -> EngineSpec:
    ones = (1.0, 1.0, 1.0)
    return EngineSpec(
        "pnet", path, "", 1, (12, 12), "pictures", "NCHW", "BGR", ones, ones, ("log_odds", "boxes"), (), "fp32", 1
    )


def _truth(folder: Path, brightness: int, *faces: list[float], ignored: bool = False) -> Truth:
    path = folder / f"{brightness}.png"
    assert cv2.imwrite(str(path), np.full((SIDE, SIDE, 3), brightness, np.uint8))
    boxes = np.array(faces, np.float64).reshape(-1, 4)
    labelled = LabelledPicture(path.name, boxes, np.full(len(boxes), ignored))
    return Truth(path, labelled, np.full((len(boxes), 5, 2), np.nan))


def _measure(truths: list[Truth], *least_scores: float) -> list[ProposalScore]:
    opened: list[Bright] = []

    def open_engine(spec: EngineSpec) -> Engine:
        opened.append(Bright(spec))
        return opened[-1]  # type: ignore[return-value]

    trio = Trio("bright", {"pnet": _spec(truths[0].path)})
    found = measure(trio, truths, open_engine, EngineOptions(min_face_px=SIDE), least_scores)
    assert len(opened) == 1
    assert not opened[0].is_open
    return found


def test_recall_and_false_candidates_at_rising_least_scores(tmp_path: Path) -> None:
    whole = [0.0, 0.0, float(SIDE), float(SIDE)]
    truths = [_truth(tmp_path, 255, whole), _truth(tmp_path, 160, whole), _truth(tmp_path, 159)]
    scores = _measure(truths, 0.01, 0.6, 0.9, 0.999)
    assert [score.recall for score in scores] == [1, 1, 0.5, 0]
    pixels = 3 * SIDE * SIDE / 1e6
    assert [score.false_per_megapixel for score in scores] == pytest.approx([1 / pixels, 1 / pixels, 0, 0])


def test_candidates_in_ignored_regions_are_not_false(tmp_path: Path) -> None:
    crowd = [-100.0, -100.0, 200.0, 200.0]
    (score,) = _measure([_truth(tmp_path, 255, crowd, ignored=True)], 0.5)
    assert (score.recall, score.false_per_megapixel) == (0, 0)


def test_networks_are_compared_where_they_propose_as_many_faces() -> None:
    scores = [ProposalScore(0.5, 0.9, 100), ProposalScore(0.9, 0.7, 20)]
    assert false_at_recall(scores, 0.8) == pytest.approx(60)
    assert false_at_recall(scores, 0.95) is None
    assert false_at_recall(scores, 0.6) is None
