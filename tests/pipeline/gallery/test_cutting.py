from __future__ import annotations

import numpy as np
import pytest

from engines.align import CropSpec, align
from pipeline.gallery.cutting import LARGEST_PX, cut_out, picture_of
from pipeline.gallery.gallery import Cutout

TEMPLATE = ((38.0, 52.0), (74.0, 52.0), (56.0, 72.0), (42.0, 92.0), (71.0, 92.0))


def smooth(width: int, height: int) -> np.ndarray:  # type: ignore[type-arg]
    y, x = np.mgrid[:height, :width]
    return np.stack([x % 256 * 0.9, y % 256 * 0.9, (x + y) / (width + height) * 255], axis=2).astype(np.uint8)


@pytest.mark.parametrize(
    ("box", "size_wh"),
    [
        ((100, 80, 160, 140), (120, 120)),
        ((0, 0, 60, 60), (90, 90)),  # the picture ends
        ((590, 300, 640, 360), (85, 90)),
        ((50, 10, 390, 350), (256, None)),  # made smaller
        ((-50, -50, -10, -10), None),  # beside the picture
    ],
)
def test_it_shows_the_face_with_what_is_around(
    box: tuple[int, int, int, int], size_wh: tuple[int, int | None] | None
) -> None:
    landmarks = np.zeros((5, 2), np.float32)
    image = picture_of(cut_out(smooth(640, 360), np.array(box, np.float32), landmarks))
    assert image is not None
    assert max(image.shape[:2]) <= LARGEST_PX
    if size_wh is not None:
        assert image.shape[1] == size_wh[0]
        assert size_wh[1] is None or image.shape[0] == size_wh[1]


@pytest.mark.parametrize("side", [60, 100, 300])
def test_a_face_aligned_from_the_cut_out_is_the_face_aligned_from_the_picture(side: int) -> None:
    image = smooth(800, 700)
    box = np.array([200, 150, 200 + side, 150 + side], np.float32)
    landmarks = (np.array(TEMPLATE, np.float32) / 112 * side + box[:2]).astype(np.float32)
    spec = CropSpec(112, TEMPLATE)
    made = cut_out(image, box, landmarks)
    small = picture_of(made)
    assert small is not None
    whole = align(image, landmarks[None], spec)[0].astype(int)
    again = align(small, made.landmarks[None], spec)[0].astype(int)
    edge = np.abs(whole - again)
    assert np.median(edge) <= 3
    assert edge.mean() < 6


def test_what_is_no_jpeg_is_no_picture() -> None:
    assert picture_of(Cutout(b"", np.zeros((5, 2), np.float32))) is None
    assert picture_of(Cutout(b"nonsense", np.zeros((5, 2), np.float32))) is None
