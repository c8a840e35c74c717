"""The cascade against the plain one on the very same samples of the picture: then they must agree to the pixel.

So packing, batching, log odds and vectorised suppression change nothing, and what `test_cascade` sees of a difference
comes from how pictures are made smaller.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from checkpoints import manifest, store
from engines.canvas import plan
from engines.cascade import LEAST_SCORES
from engines.crops import Cutter
from engines.halvings import Halvings
from engines.load import load_detector
from engines.options import EngineOptions

Picture = NDArray[np.uint8]
Pictures = list[Picture]
CLIP = Path(__file__).resolve().parents[3] / "shared" / "data" / "videos" / "crowd_720p.mp4"


def _plain(options: EngineOptions) -> Any:  # the class comes from a file that pytest does not import by itself
    spec = importlib.util.spec_from_file_location("plain_mtcnn", Path(__file__).with_name("plain_mtcnn.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    class SameSamples(module.PlainMtcnn):  # type: ignore[misc,name-defined]
        def level(self, image_bgr: Picture, size_wh: tuple[int, int]) -> tuple[Picture, tuple[float, float]]:
            picture_wh = image_bgr.shape[1], image_bgr.shape[0]
            levels = plan(picture_wh, options.min_face_px, options.pyramid_factor).levels
            (level,) = (level for level in levels if level.size_wh == size_wh)
            source = _halvings(image_bgr)[level.halvings]
            return np.asarray(cv2.resize(source, size_wh, interpolation=cv2.INTER_LINEAR), np.uint8), level.scale_xy

        def piece(self, image_bgr: Picture, box: NDArray[np.float64], side: int) -> Picture:
            return Cutter(side).cut([_halvings(image_bgr)], box[None].astype(np.float32), np.zeros(1, np.intp))[0]

    known = manifest.load("mtcnn_reference")
    files = store.locate(known, options.models)
    return SameSamples(files, options.min_face_px, options.pyramid_factor, LEAST_SCORES)


def _halvings(image_bgr: Picture) -> Halvings:
    halvings = Halvings()
    halvings.show(image_bgr)
    return halvings


def _check(pictures: Pictures, options: EngineOptions) -> int:
    """How many faces both found."""
    plain, count = _plain(options), 0
    detector = load_detector(
        replace(options, detector="mtcnn_reference"), size_wh=(pictures[0].shape[1], pictures[0].shape[0])
    )
    for picture in pictures:
        boxes, scores, landmarks = plain.detect(picture)
        (faces,) = detector.detect([picture])
        order, mine = np.lexsort(boxes.T), np.lexsort(faces.boxes_xyxy.T)
        np.testing.assert_allclose(faces.boxes_xyxy[mine], boxes[order], atol=0.1)
        np.testing.assert_allclose(faces.scores[mine], scores[order], atol=0.01)
        np.testing.assert_allclose(faces.landmarks[mine], landmarks[order], atol=0.1)
        count += len(faces)
    detector.close()
    return count


@pytest.mark.parametrize("min_face_px", [20, 40])
def test_drawn_pictures(
    min_face_px: int, options: EngineOptions, model: Callable[[str], str], astronaut: Picture, crowd: Picture
) -> None:
    model("mtcnn_reference")
    assert _check([crowd, astronaut], replace(options, min_face_px=min_face_px)) >= 5


@pytest.mark.parametrize("size_wh", [(640, 360), (1280, 720)])
def test_frames_of_a_crowd(size_wh: tuple[int, int], options: EngineOptions, model: Callable[[str], str]) -> None:
    if not CLIP.exists():
        pytest.skip(f"{CLIP} is not there")
    model("mtcnn_reference")
    clip = cv2.VideoCapture(str(CLIP))
    frames = []
    for number in range(81):
        there, frame = clip.read()
        assert there
        if number % 20 == 0:
            frames.append(np.asarray(cv2.resize(frame, size_wh), np.uint8))
    clip.release()
    assert _check(frames, options) >= 12
