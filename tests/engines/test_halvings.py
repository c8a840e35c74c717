from __future__ import annotations

import weakref

import numpy as np

from engines.halvings import Halvings


def _noise(height: int, width: int, seed: int = 0) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def test_a_half_is_the_mean_of_four_pixels() -> None:
    picture, halvings = _noise(46, 31), Halvings()
    halvings.show(picture)
    four = picture[:46, :30].reshape(23, 2, 15, 2, 3).astype(float).mean(axis=(1, 3))
    np.testing.assert_allclose(halvings[1], four, atol=0.5)
    assert halvings[2].shape == (11, 7, 3)
    assert halvings[0] is picture


def test_memory_is_kept_from_picture_to_picture_but_not_what_they_show() -> None:
    halvings = Halvings()
    halvings.show(np.zeros((40, 40, 3), np.uint8))
    before = halvings[2]
    halvings.show(np.full((40, 40, 3), 200, np.uint8))
    assert halvings[2] is before
    assert (before == 200).all()
    halvings.show(_noise(60, 20))
    assert halvings[2].shape == (15, 5, 3)


def test_a_forgotten_picture_is_free() -> None:
    picture, halvings = _noise(20, 20), Halvings()
    alive = weakref.ref(picture)
    halvings.show(picture)
    assert halvings[1].any()
    halvings.forget()
    del picture
    assert alive() is None


def test_no_picture_is_halved_away() -> None:
    halvings = Halvings()
    for side in (1, 2, 3, 16, 1000):
        halvings.show(_noise(side, 1000))
        assert halvings[halvings.most].size > 0
