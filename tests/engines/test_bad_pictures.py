"""Odd pictures: every detector gives the right faces or refuses with a sentence, never nonsense."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from engines.detector import Detector
from engines.faces import Faces
from engines.load import load_detector
from engines.options import EngineOptions

Picture = NDArray[np.uint8]


@pytest.fixture(scope="module", params=["mtcnn", "yunet"])
def detector(request: pytest.FixtureRequest, options: EngineOptions, model: Callable[[str], str]) -> Iterator[Detector]:
    detector = load_detector(replace(options, detector=model(request.param)), size_wh=(512, 512))
    yield detector
    detector.close()


def _same(one: Faces, other: Faces) -> None:
    for name in ("boxes_xyxy", "scores", "landmarks"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda picture: picture[..., 0],
        lambda picture: picture[..., :1],
        lambda picture: np.dstack([picture, picture[..., 0]]),
        lambda picture: picture.astype(np.uint16) * 257,
        lambda picture: picture.astype(np.float32),
        lambda picture: picture[:0],
        lambda picture: picture[None],
        lambda picture: picture.transpose(2, 0, 1),
    ],
    ids=["grey", "one channel", "RGBA", "16 bits", "float", "empty", "batch", "planes"],
)
def test_other_kinds_of_pictures_are_refused(detector: Detector, astronaut: Picture, spoil: Any) -> None:
    with pytest.raises(ValueError, match="a detector takes"):
        detector.detect([astronaut, spoil(astronaut)])
    assert len(detector.detect([astronaut])[0]) == 1, "a refusal must leave the detector as it was"


def test_no_pictures(detector: Detector) -> None:
    assert detector.detect([]) == []


@pytest.mark.parametrize("shape", [(1, 1), (1, 700), (700, 1), (5, 3), (39, 39), (39, 500)])
def test_pictures_below_the_smallest_face(detector: Detector, astronaut: Picture, shape: tuple[int, int]) -> None:
    picture = np.resize(astronaut, (*shape, 3))
    (faces,) = detector.detect([picture])
    assert len(faces) == 0
    assert faces.boxes_xyxy.shape == (0, 4)
    assert faces.landmarks.shape == (0, 5, 2)


@pytest.mark.parametrize("name", ["mtcnn", "yunet"])
def test_one_pixel_with_the_least_of_all_smallest_faces(
    name: str, options: EngineOptions, model: Callable[[str], str]
) -> None:
    detector = load_detector(
        replace(options, detector=model(name), min_face_px=12 if name == "mtcnn" else 1), size_wh=(64, 64)
    )
    for shape in ((1, 1, 3), (1, 33, 3), (13, 12, 3)):
        (faces,) = detector.detect([np.full(shape, 128, np.uint8)])
        assert len(faces) == 0
    detector.close()


def test_views_give_what_their_copies_give(detector: Detector, astronaut: Picture) -> None:
    wide = np.zeros((512, 700, 3), np.uint8)
    wide[:, 100:612] = astronaut
    mirrored = np.ascontiguousarray(astronaut[:, ::-1])
    rgb = np.ascontiguousarray(astronaut[..., ::-1])
    planes = np.ascontiguousarray(astronaut.transpose(2, 0, 1))
    views = [wide[:, 100:612], mirrored[:, ::-1], rgb[..., ::-1], planes.transpose(1, 2, 0), wide[:, 100:612][:, ::2]]
    assert not any(view.flags.c_contiguous for view in views)
    copies = [np.ascontiguousarray(view) for view in views]
    found = detector.detect(views)
    assert [len(faces) for faces in found[:4]] == [1, 1, 1, 1]
    for one, other in zip(found, detector.detect(copies), strict=True):
        _same(one, other)


def test_pictures_that_must_not_be_written_to(detector: Detector, astronaut: Picture) -> None:
    lent = astronaut.copy()
    lent.flags.writeable = False
    _same(detector.detect([lent])[0], detector.detect([astronaut])[0])


def test_a_picture_of_12000_px(detector: Detector, astronaut: Picture) -> None:
    """Faces of 700 px at both ends of a panorama."""
    picture = np.full((1400, 12000, 3), 90, np.uint8)
    face = np.repeat(np.repeat(astronaut[20:270, 100:350], 5, axis=0), 5, axis=1)
    picture[100:1350, 300:1550] = face
    picture[100:1350, 10500:11750] = face
    (faces,) = detector.detect([picture])
    good = np.flatnonzero(faces.scores > 0.6)
    centres = (faces.boxes_xyxy[good, :2] + faces.boxes_xyxy[good, 2:]) / 2
    for left in (300, 10500):
        # The face in the crop: its centre lies at about (125, 105) of 250.
        assert (np.abs(centres - (left + 625, 100 + 525)).max(axis=1) < 200).any()
    assert (faces.boxes_xyxy <= (12000, 1400) * 2).all()
    assert (faces.boxes_xyxy >= 0).all()


def test_a_tall_picture_too(detector: Detector, astronaut: Picture) -> None:
    picture = np.zeros((9000, 512, 3), np.uint8)
    picture[4000:4512] = astronaut
    (faces,) = detector.detect([picture])
    assert all(4000 < top < bottom < 4512 for _, top, _, bottom in faces.boxes_xyxy)


@pytest.mark.parametrize("grey", [0, 127, 255])
def test_nothing_is_seen_where_nothing_is(detector: Detector, grey: int) -> None:
    assert [len(faces) for faces in detector.detect([np.full((480, 640, 3), grey, np.uint8)] * 2)] == [0, 0]
