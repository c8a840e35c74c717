from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from checkpoints.errors import DataError
from engines.align import similarities
from engines.detector import Detector
from engines.embedder import Embedder
from engines.faces import Faces
from testbench.portraits import BATCH, embed, middle_landmarks, person

RED, BLUE, DIM = (0, 0, 255), (255, 0, 0), (50, 50, 50)


def _faces(*boxes: list[float]) -> Faces:
    count = len(boxes)
    return Faces(np.array(boxes, np.float32), np.ones(count, np.float32), np.zeros((count, 5, 2), np.float32))


def test_each_picture_gives_its_vector_in_order_whatever_the_batch(
    portrait: Callable[..., Path], detector: Detector, embedder: Embedder
) -> None:
    colours = [RED, BLUE] * BATCH
    paths = [portrait("Ada", number, colour) for number, colour in enumerate(colours[:-1])]
    found = embed(paths, detector, embedder)
    assert found.vectors.shape == (2 * BATCH - 1, 3)
    assert found.undetected == 0
    assert found.ms_per_face > 0
    np.testing.assert_allclose(found.vectors[::2] @ found.vectors[0], 1, atol=0.01)
    assert (found.vectors[1::2] @ found.vectors[0] < 0).all()


def test_a_picture_without_a_face_counts_and_its_middle_is_taken(
    portrait: Callable[..., Path], detector: Detector, embedder: Embedder
) -> None:
    """The drawn face is too dim for the detector; the middle half of the picture lies well inside it."""
    dim = portrait("Dim", 1, DIM, corner=(10, 0), side=80)
    found = embed([portrait("Ada", 1, RED), dim], detector, embedder)
    assert found.undetected == 1
    expected = np.full(3, -1 / np.sqrt(3))  # 50 of 128 in each colour
    np.testing.assert_allclose(found.vectors[1], expected, atol=0.01)


def test_no_face_anywhere_is_told(portrait: Callable[..., Path], detector: Detector, embedder: Embedder) -> None:
    with pytest.raises(DataError, match="No face was found"):
        embed([portrait("Dim", 1, DIM)], detector, embedder)


def test_a_picture_that_is_none_is_named(
    portrait: Callable[..., Path], detector: Detector, embedder: Embedder, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_text("no picture")
    with pytest.raises(DataError) as caught:
        embed([portrait("Ada", 1, RED), broken], detector, embedder)
    assert str(broken) in str(caught.value)


def test_the_portrait_is_of_the_face_in_the_middle_not_of_the_best_one() -> None:
    assert person(_faces([0, 0, 40, 40], [80, 80, 120, 120]), (200, 200)) == 1


def test_a_large_face_near_the_middle_is_preferred_to_a_speck_in_it() -> None:
    assert person(_faces([102, 102, 106, 106], [50, 50, 130, 130]), (200, 200)) == 1


def test_the_middle_is_half_the_shorter_side(embedder: Embedder) -> None:
    crop = embedder.crop
    points = middle_landmarks((400, 200), crop)
    np.testing.assert_allclose(points, np.array([150, 50]) + np.array(crop.template) / crop.size_px * 100)


def test_a_crop_that_draws_faces_wider_shows_less_of_the_width(embedder: Embedder) -> None:
    """Aligned by these landmarks, the middle half comes out 1.25 times as wide: a tenth of it is lost on each side."""
    wide = replace(embedder.crop, stretch=1.25)
    (matrix,) = similarities(middle_landmarks((400, 200), wide)[None], wide)
    left, right = (matrix @ [x, 100, 1] for x in (200 - 50 / 1.25, 200 + 50 / 1.25))
    np.testing.assert_allclose([left, right], [[0, 8], [16, 8]], atol=1e-4)
