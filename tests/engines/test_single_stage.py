"""The three families of single-stage detectors on networks whose faces are known by arithmetic."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from checkpoints import brought, store
from checkpoints.errors import ModelError
from checkpoints.manifest import Family
from engines import openvino_engine, retinaface, scrfd, yunet
from engines.engine import Engine
from engines.faces import Faces
from engines.single_stage import SingleStage
from engines.spec import engine_spec
from tests.engines.planted import POINTS, RETINAFACE_BOX, SCRFD_BOX, STRIDES, YUNET_BOX, planted

Picture = NDArray[np.uint8]
FAMILIES: tuple[Family, ...] = ("yunet", "scrfd", "retinaface")
KINDS = {"yunet": yunet.YUNET, "scrfd": scrfd.SCRFD, "retinaface": retinaface.RETINAFACE}


@dataclass(slots=True)
class Opened:
    """A detector and the sheets for which it opened and closed engines."""

    detector: SingleStage
    opened: list[tuple[int, int]]
    closed: list[tuple[int, int]]


Open = Callable[..., Opened]


@pytest.fixture
def open_detector(tmp_path: Path, engine_cache: Path) -> Open:
    def opened(
        family: Family, size_wh: tuple[int, int] | None = None, *, min_face_px: int = 1, least_score: float = 0.5
    ) -> Opened:
        known, folder = planted(tmp_path, family, size_wh)
        files = store.locate(known, folder)
        journal = Opened(None, [], [])  # type: ignore[arg-type]

        def open_net(sheet_wh: tuple[int, int]) -> Engine:
            spec = engine_spec(
                known, files, "net", KINDS[family].outputs, batch=1, size_wh=sheet_wh, precision="fp32", threads=1
            )
            engine = openvino_engine.open_engine(spec, engine_cache)
            close = engine.close

            def closing() -> None:
                journal.closed.append(sheet_wh)
                close()

            engine.close = closing  # type: ignore[method-assign]
            journal.opened.append(sheet_wh)
            return engine

        journal.detector = KINDS[family].detector(
            open_net, min_face_px=min_face_px, least_score=least_score, fixed_wh=size_wh
        )
        return journal

    return opened


def _bright(picture: Picture, stride: int, column: int, row: int, brightness: int = 204) -> Picture:
    """Blue, green and red are what cells of 8, 16 and 32 px answer to."""
    picture[row * stride : (row + 1) * stride, column * stride : (column + 1) * stride, STRIDES.index(stride)] = (
        brightness
    )
    return picture


def _expected(family: Family, stride: int, column: int, row: int) -> tuple[list[float], NDArray[np.float64]]:
    x, y = column * stride, row * stride
    points = np.array(POINTS).reshape(5, 2)
    if family == "yunet":
        dx, dy, w, h = YUNET_BOX
        cx, cy = x + dx * stride, y + dy * stride
        half_w, half_h = np.exp(w) * stride / 2, np.exp(h) * stride / 2
        return [cx - half_w, cy - half_h, cx + half_w, cy + half_h], points * stride + (x, y)
    if family == "scrfd":
        left, top, right, bottom = np.array(SCRFD_BOX) * stride
        return [x - left, y - top, x + right, y + bottom], points * stride + (x, y)
    side = {8: 16, 16: 64, 32: 256}[stride]
    dx, dy, w, h = RETINAFACE_BOX
    cx, cy = x + stride / 2 + 0.1 * dx * side, y + stride / 2 + 0.1 * dy * side
    half_w, half_h = side * np.exp(0.2 * w) / 2, side * np.exp(0.2 * h) / 2
    centre = (x + stride / 2, y + stride / 2)
    return [cx - half_w, cy - half_h, cx + half_w, cy + half_h], 0.1 * side * points + centre


def _same(one: Faces, other: Faces) -> None:
    for name in ("boxes_xyxy", "scores", "landmarks"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("stride", STRIDES)
def test_a_bright_cell_is_the_face_that_arithmetic_says(family: Family, stride: int, open_detector: Open) -> None:
    picture = np.zeros((580, 700, 3), np.uint8)
    column, row = 350 // stride, 300 // stride
    detector = open_detector(family).detector
    (faces,) = detector.detect([_bright(picture, stride, column, row)])
    box, points = _expected(family, stride, column, row)
    assert len(faces) == 1
    np.testing.assert_allclose(faces.scores, [0.8], atol=1e-5)
    np.testing.assert_allclose(faces.boxes_xyxy[0], box, rtol=1e-5, atol=1e-3)
    np.testing.assert_allclose(faces.landmarks[0], points, rtol=1e-5, atol=1e-3)
    detector.close()


@pytest.mark.parametrize("family", FAMILIES)
def test_faces_of_all_grids_come_best_first_and_each_once(family: Family, open_detector: Open) -> None:
    picture = np.zeros((640, 1000, 3), np.uint8)
    cells = ((8, 10, 10, 180), (8, 11, 10, 160), (16, 30, 20, 250), (32, 20, 12, 200))
    for stride, column, row, brightness in cells:
        _bright(picture, stride, column, row, brightness)
    detector = open_detector(family).detector
    (faces,) = detector.detect([picture])
    # The second cell lies beside the first and shows the same face, less surely.
    np.testing.assert_allclose(faces.scores, [250 / 255, 200 / 255, 180 / 255], atol=1e-5)
    detector.close()


@pytest.mark.parametrize("family", FAMILIES)
def test_a_score_must_be_above_the_least_and_a_face_not_below_the_smallest(family: Family, open_detector: Open) -> None:
    picture = _bright(np.zeros((320, 320, 3), np.uint8), 8, 20, 20, 128)
    box, _ = _expected(family, 8, 20, 20)
    most = int(max(box[2] - box[0], box[3] - box[1]) / 0.7)
    for min_face, least, count in ((1, 0.5, 1), (1, 0.51, 0), (most, 0.5, 1), (most + 1, 0.5, 0)):
        detector = open_detector(family, min_face_px=min_face, least_score=least).detector
        assert len(detector.detect([picture])[0]) == count
        detector.close()


@pytest.mark.parametrize("family", FAMILIES)
def test_a_network_of_one_size_sees_larger_pictures_smaller(family: Family, open_detector: Open) -> None:
    detector = open_detector(family, (320, 320)).detector
    picture = np.zeros((640, 1280, 3), np.uint8)
    picture[320:352, 640:672, 0] = 204  # a quarter of its size on the sheet: one cell of 8
    (faces,) = detector.detect([picture])
    box, points = _expected(family, 8, 20, 10)
    np.testing.assert_allclose(faces.boxes_xyxy[0], np.array(box) * 4, rtol=1e-5, atol=1e-3)
    np.testing.assert_allclose(faces.landmarks[0], points * 4, rtol=1e-5, atol=1e-3)
    small = _bright(np.zeros((100, 200, 3), np.uint8), 8, 5, 5)
    np.testing.assert_allclose(
        detector.detect([small])[0].boxes_xyxy[0], np.clip(_expected(family, 8, 5, 5)[0], 0, 200), rtol=1e-5, atol=1e-3
    )
    detector.close()


def test_a_huge_picture_is_seen_smaller_and_twice(open_detector: Open) -> None:
    """12,000 × 3,000: on the first sheet it is 1,920 wide, on the second 640."""
    journal = open_detector("yunet")
    picture = np.zeros((3000, 12000, 3), np.uint8)
    picture[1250:1300, 5000:5050, 0] = 204  # 50 px are one cell of 8 on the first sheet
    (faces,) = journal.detector.detect([picture])
    box, _ = _expected("yunet", 8, 100, 25)
    np.testing.assert_allclose(faces.boxes_xyxy[0], np.array(box) * 6.25, rtol=1e-4)
    assert len(journal.opened) == 2
    # Only on the second sheet are these 600 px one cell of 32, and its face is larger than any on the first one.
    picture[:] = 0
    picture[600:1200, 3000:3600, 2] = 255
    (faces,) = journal.detector.detect([picture])
    box, _ = _expected("yunet", 32, 5, 1)
    wanted = np.clip(np.array(box) * 18.75, 0, (12000, 3000) * 2)
    assert np.abs(faces.boxes_xyxy - wanted).max(axis=1).min() < 1
    journal.detector.close()


def test_the_same_picture_gives_the_same_faces_in_any_company(open_detector: Open, crowd: Picture) -> None:
    journal = open_detector("yunet", least_score=0.6)
    journal.detector.prepare((960, 540))
    pictures = [crowd, crowd[:301, :455], np.zeros((540, 960, 3), np.uint8), crowd[100:, 300:], crowd]
    together = journal.detector.detect(pictures)
    assert [len(faces) > 0 for faces in together] == [True, True, False, True, True]
    for one, other in zip(journal.detector.detect(pictures[::-1]), together[::-1], strict=True):
        _same(one, other)
    for picture, faces in zip(pictures, together, strict=True):
        _same(journal.detector.detect([picture])[0], faces)
    journal.detector.close()


def test_what_lay_on_a_sheet_before_is_gone(open_detector: Open) -> None:
    detector = open_detector("yunet").detector
    bright = np.full((256, 256, 3), 255, np.uint8)
    small = _bright(np.zeros((200, 220, 3), np.uint8), 8, 10, 10)
    alone = detector.detect([small])[0]
    assert len(alone) == 1
    _same(detector.detect([bright, small])[1], alone)
    detector.close()


def test_few_engines_for_photographs_of_many_sizes(open_detector: Open) -> None:
    journal = open_detector("yunet")
    journal.detector.prepare((640, 360))
    random = np.random.default_rng(5)
    sizes = [(int(w), int(h)) for w, h in random.integers(500, 640, (40, 2))]
    for width, height in sizes:
        journal.detector.detect([np.zeros((height, width, 3), np.uint8)])
    assert journal.opened[0] == (640, 384)
    assert len(journal.opened) <= 1 + 4
    for side in range(100, 1300, 100):
        journal.detector.detect([np.zeros((side, side, 3), np.uint8)])
    assert len(journal.opened) - len(journal.closed) <= 1 + 4
    assert (640, 384) not in journal.closed
    journal.detector.close()
    assert sorted(journal.opened) == sorted(journal.closed)


@pytest.mark.parametrize("family", FAMILIES)
def test_scores_that_are_no_numbers_are_an_error_not_an_empty_picture(family: Family) -> None:
    widths = {"cls": 1, "obj": 1, "score": 1, "bbox": 4, "kps": 10, "loc": 4, "conf": 2, "landms": 10}
    kinds = [(name.split("_")[0], name.split("_")[1:]) for name in KINDS[family].outputs]
    per_cell = 1 if family == "yunet" else 2
    cells = [sum((64 // stride) ** 2 for stride in map(int, stride or STRIDES)) for _, stride in kinds]
    shapes = tuple((1, per_cell * count, widths[kind]) for count, (kind, _) in zip(cells, kinds, strict=True))

    class Broken:
        input_shape = (1, 64, 64, 3)
        output_names = KINDS[family].outputs
        output_shapes = shapes

        def __init__(self) -> None:
            self.input = np.zeros(self.input_shape, np.uint8)

        def run(self, batch: Picture | None = None) -> tuple[NDArray[np.float32], ...]:
            return tuple(np.full(shape, np.nan, np.float32) for shape in shapes)

        def close(self) -> None: ...

    detector = KINDS[family].detector(lambda _: Broken(), min_face_px=1)
    with pytest.raises(ModelError, match="no numbers"):
        detector.detect([np.zeros((64, 64, 3), np.uint8)])


def test_rows_without_a_dimension_for_the_picture_are_read_too() -> None:
    """As SCRFD's exports give them."""
    head = scrfd.SCRFDHead((64, 32), 0.5)
    counts = [2 * (64 // stride) * (32 // stride) for stride in STRIDES]
    scores = [np.zeros((count, 1), np.float32) for count in counts]
    scores[1][3] = 0.75  # the second anchor of the second cell of the first row
    boxes = [np.ones((count, 4), np.float32) for count in counts]
    points = [np.zeros((count, 10), np.float32) for count in counts]
    found = head.read((*scores, *boxes, *points))
    assert found.boxes_xyxy.tolist() == [[0, -16, 32, 16]]
    assert found.landmarks[0].tolist() == [[16, 0]] * 5


def test_of_thousands_of_candidates_the_best_are_kept() -> None:
    head = yunet.YuNetHead((640, 640), 0.01)
    cells = [(640 // stride) ** 2 for stride in STRIDES]
    likely = [np.linspace(0.1, 0.9, count, dtype=np.float32).reshape(1, -1, 1) for count in cells]
    outputs = [
        *likely,
        *likely,
        *(np.zeros((1, n, 4), np.float32) for n in cells),
        *(np.zeros((1, n, 10), np.float32) for n in cells),
    ]
    found = head.read(tuple(outputs))
    assert len(found) == 1000
    everything = np.concatenate([one.reshape(-1) for one in likely])
    np.testing.assert_allclose(np.sort(found.scores), np.sort(everything)[-1000:], rtol=1e-6)


def test_manifests_name_the_outputs_as_the_detectors_do() -> None:
    for family in FAMILIES:
        assert brought.MEANINGS[family] == KINDS[family].outputs


def test_a_reduced_picture_is_averaged_not_sampled(open_detector: Open) -> None:
    """A pattern of single pixels must come out grey."""
    detector = open_detector("yunet", (320, 320), least_score=0.4).detector
    picture = np.zeros((640, 640, 3), np.uint8)
    picture[160:176:2, 160:176, 0] = 255
    picture[161:176:2, 160:176, 0] = 153
    (faces,) = detector.detect([picture])
    np.testing.assert_allclose(faces.scores, [0.8], atol=0.01)
    detector.close()
