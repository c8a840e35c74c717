"""A detector on labelled photographs: what it finds, what it misses, how long it takes."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from checkpoints.errors import DataError
from engines.detector import Detector
from engines.faces import Faces
from testbench.picture import picture
from training.average_precision import DetectionScore, judge, lower_ignored, summarise
from training.wider_face import LabelledPicture, picture_path


@dataclass(frozen=True, slots=True)
class DetectionReport:
    """found         for each picture, in the order of the labels
    ms_per_image  median of the pictures' times, once an engine is ready for their size
    """

    score: DetectionScore
    found: tuple[Faces, ...]
    ms_per_image: float
    faces: int


def measure(
    detector: Detector, folder: Path, pictures: Sequence[LabelledPicture], min_height_px: float = 0
) -> DetectionReport:
    truths = [lower_ignored(truth, min_height_px) for truth in pictures]
    faces = sum(int(np.count_nonzero(~truth.ignored)) for truth in truths)
    if not faces:
        raise DataError(
            "There is no face to be found in these pictures.",
            saw=f"{len(pictures)} pictures of {folder}, faces of at least {min_height_px:g} px",
            fix="Give more pictures, or a lower --min-height.",
        )
    found, took_ms = [], []
    for truth in tqdm(truths, desc="pictures", unit="", disable=None, leave=False):
        image_bgr = picture(picture_path(folder, truth))
        detector.detect([image_bgr])  # opens an engine if none fits this size: no part of a picture's own time
        start_s = time.perf_counter()
        found += detector.detect([image_bgr])
        took_ms.append(1000 * (time.perf_counter() - start_s))
    judged = [
        judge(each.boxes_xyxy.astype(np.float64), each.scores.astype(np.float64), truth)
        for each, truth in zip(found, truths, strict=True)
    ]
    return DetectionReport(summarise(judged, faces), tuple(found), float(np.median(took_ms)), faces)
