"""Enrolment with a detector that knows where the test painted faces; the real models are tried where they are."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from app import enrolment, flags, one_face, photographs, settings
from app.belonging import Limits
from app.enrolment import Enroller, Report
from app.flags import FlagParser
from app.one_face import MIN_SHARPNESS, sharpness, turned
from app.square import SQUARE_PX, on_square
from checkpoints import manifest, store
from checkpoints.errors import EnrolmentError, SettingsError
from engines.faces import Faces
from pipeline.gallery.memory import MemoryGallery
from tests.app.painted import SIDE, TEMPLATE, ColourEmbedder, PaintedDetector

GREY = (127, 127, 127)


class Unsure:
    """Takes every face but the first for less than a face."""

    def detect(self, images_bgr: Sequence[NDArray[np.uint8]]) -> list[Faces]:
        (faces,) = PaintedDetector().detect(images_bgr)
        scores = np.array([1.0] + [0.7] * (len(faces) - 1), np.float32)
        return [Faces(faces.boxes_xyxy, scores, faces.landmarks)]

    def close(self) -> None: ...


class QualityFromBrightness:
    """Stands for engines.quality.quality: a face is as good as its brightest pixel is bright."""

    def __call__(self, crops_bgr: NDArray[np.uint8], *_: object) -> NDArray[np.float32]:
        return (crops_bgr.max(axis=(1, 2, 3)) / 255 - 0.8).clip(0, 1).astype(np.float32) * 5


@pytest.fixture(autouse=True)
def _quality(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(one_face, "quality", QualityFromBrightness())


@pytest.fixture
def gallery() -> MemoryGallery:
    return MemoryGallery(space="colours", dim=3)


def paint(
    path: Path, *faces: tuple[int, int, int], size: tuple[int, int] = (640, 480), brightest: int = 255, blur: float = 0
) -> Path:
    """Faces are (channel, x, width); they are as high as they are wide, and grainy."""
    image = np.full((size[1], size[0], 3), 127, np.uint8)
    random = np.random.default_rng(3)
    for channel, x, width in faces:
        face = image[20 : 20 + width, x : x + width]
        face[:] = 0
        face[..., channel] = random.integers(202, brightest + 1, face.shape[:2])
        if blur:
            face[:] = cv2.GaussianBlur(face, (0, 0), blur)
    cv2.imwrite(str(path), image)
    return path


def run(gallery: MemoryGallery, *paths: Path, name: str | None = "Ann", limits: Limits | None = None) -> Report:
    return Enroller(gallery, PaintedDetector(), ColourEmbedder(), limits).enrol(name, photographs.find(paths))


def test_one_face_is_kept_and_found_again(gallery: MemoryGallery, tmp_path: Path) -> None:
    red, blue = paint(tmp_path / "red.png", (2, 100, 100)), paint(tmp_path / "blue.png", (0, 300, 80))
    assert run(gallery, red).kept == 1
    assert run(gallery, blue, name="Bob").kept == 1
    matches = gallery.search(np.array([[0, 0, 1], [1, 0, 0]], np.float32), limit=1)
    assert [[match.name for match in row] for row in matches] == [["Ann"], ["Bob"]]


def test_each_refusal_has_its_reason(gallery: MemoryGallery, tmp_path: Path) -> None:
    (tmp_path / "0.png").write_bytes(b"no picture")
    paint(tmp_path / "1.png")
    paint(tmp_path / "2.png", (0, 10, 100), (1, 200, 90))
    paint(tmp_path / "3.png", (0, 10, 39))
    paint(tmp_path / "4.png", (0, 10, 100), brightest=210)
    paint(tmp_path / "5.png", (0, 10, 100), blur=5)
    paint(tmp_path / "6.png", (0, 10, 40))
    report = run(gallery, tmp_path)
    assert (report.kept, report.known, report.exit_code) == (1, 0, 0)
    assert [refusal.path.name for refusal in report.refused] == ["0.png", "1.png", "2.png", "3.png", "4.png", "5.png"]
    reasons = ["not a picture", "no face", "2 faces", "too small (39 pixels", "unclear", "blurred"]
    for refusal, reason in zip(report.refused, reasons, strict=True):
        assert reason in refusal.why
    text = str(report)
    assert text.startswith("Ann: 1 of 7 pictures enrolled\n")
    assert f"  refused {tmp_path / '3.png'}: the face is too small" in text


def test_a_face_in_the_background_does_no_harm(gallery: MemoryGallery, tmp_path: Path) -> None:
    report = run(gallery, paint(tmp_path / "a.png", (0, 10, 60), (1, 200, 200)))
    assert report.kept == 1
    assert gallery.search(np.array([[0, 1, 0]], np.float32))[0][0].score > 0.99


def test_what_is_hardly_a_face_is_no_rival(gallery: MemoryGallery, tmp_path: Path) -> None:
    path = paint(tmp_path / "a.png", (0, 10, 100), (1, 200, 90))
    assert Enroller(gallery, Unsure(), ColourEmbedder()).enrol("Ann", [path]).kept == 1


def test_nothing_kept_is_a_failure(gallery: MemoryGallery, tmp_path: Path) -> None:
    assert run(gallery, paint(tmp_path / "a.png")).exit_code == 1
    assert gallery.people() == []


def test_enrolling_again_changes_nothing_and_is_no_failure(gallery: MemoryGallery, tmp_path: Path) -> None:
    path = paint(tmp_path / "a.png", (0, 10, 100))
    run(gallery, path)
    again = run(gallery, path)
    assert (again.kept, again.known, again.exit_code) == (0, 1, 0)
    assert "1 known before" in str(again)
    assert gallery.people()[0].pictures == 1


def test_the_face_is_cut_out_with_its_surroundings(gallery: MemoryGallery, tmp_path: Path) -> None:
    run(gallery, paint(tmp_path / "a.png", (0, 100, 100)))
    (kept,) = gallery.kept()
    assert kept.picture.source == "a.png"
    assert kept.picture.cutout is not None
    image = cv2.imdecode(np.frombuffer(kept.picture.cutout.jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None and image.shape == (200, 200, 3)
    nose = (np.array(TEMPLATE[2]) + 0.5) / SIDE * 100 + 50 - 0.5
    assert kept.picture.cutout.landmarks[2] == pytest.approx(nose, abs=1)


def light(path: Path, low: int, high: int) -> Path:
    image = np.full((480, 640, 3), 127, np.uint8)
    face = np.random.default_rng(5).integers(low, high, (100, 100)).astype(np.uint8)
    image[20:120, 100:200] = face[..., None]
    cv2.imwrite(str(path), image)
    return path


class AlwaysThere:
    """Takes the same place for a face in every picture."""

    def __init__(self, nose_x: float = TEMPLATE[2][0]) -> None:
        self._landmarks = np.array([[*TEMPLATE[:2], (nose_x, TEMPLATE[2][1]), *TEMPLATE[3:]]], np.float32)

    def detect(self, images_bgr: Sequence[NDArray[np.uint8]]) -> list[Faces]:
        corner = np.array([(SQUARE_PX - 640) / 2 + 100, (SQUARE_PX - 480) / 2 + 20], np.float32)
        box = np.concatenate([corner, corner + 100])[None].astype(np.float32)
        places = (corner + self._landmarks / SIDE * 100).astype(np.float32)
        return [Faces(box, np.ones(1, np.float32), places) for _ in images_bgr]

    def close(self) -> None: ...


@pytest.mark.parametrize(
    ("low", "high", "nose_x", "reason"),
    [(0, 16, 56, "too dark"), (251, 256, 56, "too bright"), (200, 256, 80, "extreme pose")],
)
def test_light_and_pose_that_tell_nothing_are_refused(
    gallery: MemoryGallery, tmp_path: Path, low: int, high: int, nose_x: float, reason: str
) -> None:
    path = light(tmp_path / "a.png", low, high)
    (refusal,) = Enroller(gallery, AlwaysThere(nose_x), ColourEmbedder()).enrol("Ann", [path]).refused
    assert reason in refusal.why


def test_a_nose_in_the_middle_is_a_face_from_the_front() -> None:
    front = np.array([(0, 0), (40, 0), (20, 20), (5, 40), (35, 40)], np.float32)
    aside = front + np.array([(0, 0), (0, 0), (20, 0), (0, 0), (0, 0)], np.float32)
    assert turned(front) == pytest.approx(0)
    assert turned(aside) == pytest.approx(0.5)
    around = np.array([[0, -1], [1, 0]], np.float32)
    assert turned(aside @ around) == pytest.approx(0.5)  # a head that lies on its side is not turned away


LIMITS = Limits(same=0.9, other=0.5)


def test_somebody_who_has_another_name_already_is_refused_unless_it_is_wished(
    gallery: MemoryGallery, tmp_path: Path
) -> None:
    run(gallery, paint(tmp_path / "a.png", (2, 100, 100)), limits=LIMITS)
    again = paint(tmp_path / "b.png", (2, 100, 90))
    report = run(gallery, again, name="Bob", limits=LIMITS)
    assert report.kept == 0
    assert "already Ann" in report.refused[0].why
    assert run(gallery, again, name="Ann", limits=LIMITS).kept == 1
    insisting = Enroller(gallery, PaintedDetector(), ColourEmbedder(), LIMITS, even_if_known=True)
    assert insisting.enrol("Bob", [again]).kept == 1


def test_a_stranger_cannot_be_enrolled_and_somebody_known_is_no_stranger(
    gallery: MemoryGallery, tmp_path: Path
) -> None:
    red, blue = paint(tmp_path / "r.png", (2, 100, 100)), paint(tmp_path / "b.png", (0, 100, 100))
    assert run(gallery, red, blue, name=None, limits=LIMITS).kept == 2  # they need not be like each other
    assert "one of the strangers" in run(gallery, red, limits=LIMITS).refused[0].why
    green = paint(tmp_path / "g.png", (1, 100, 100))
    run(gallery, green, limits=LIMITS)
    assert "already Ann" in run(gallery, green, name=None, limits=LIMITS).refused[0].why


def test_a_picture_unlike_the_others_is_refused_wherever_it_stands(gallery: MemoryGallery, tmp_path: Path) -> None:
    odd = paint(tmp_path / "0.png", (1, 100, 100))
    others = [paint(tmp_path / f"{n}.png", (2, 100, 100 - n)) for n in (1, 2, 3)]
    report = run(gallery, odd, *others, limits=LIMITS)
    assert report.kept == 3
    assert [refusal.path for refusal in report.refused] == [odd]
    assert "unlike the other pictures" in report.refused[0].why
    assert "unlike" in run(gallery, odd, limits=LIMITS).refused[0].why  # also alone, beside those that are kept
    insisting = Enroller(gallery, PaintedDetector(), ColourEmbedder(), LIMITS, even_if_unlike=True)
    assert insisting.enrol("Ann", [odd]).kept == 1


def test_pictures_for_a_name_that_exists_are_added_and_it_is_said(gallery: MemoryGallery, tmp_path: Path) -> None:
    run(gallery, paint(tmp_path / "a.png", (2, 100, 100)))
    report = run(gallery, paint(tmp_path / "b.png", (2, 100, 90)))
    assert "added to the 1 pictures of the Ann who was known before" in str(report)


def test_the_same_picture_under_two_names_of_file_is_kept_once(gallery: MemoryGallery, tmp_path: Path) -> None:
    path = paint(tmp_path / "a.png", (2, 100, 100))
    (tmp_path / "b.png").write_bytes(path.read_bytes())
    report = run(gallery, tmp_path)
    assert (report.kept, report.known) == (1, 1)


def test_a_folder_of_folders_is_many_people(gallery: MemoryGallery, tmp_path: Path) -> None:
    for name, channel in (("Zoë", 0), ("Ann Lee", 2)):
        (tmp_path / "people" / name).mkdir(parents=True)
        paint(tmp_path / "people" / name / "1.png", (channel, 100, 100))
    wanted = enrolment._wanted(str(tmp_path / "people"), [])
    assert list(wanted) == ["Ann Lee", "Zoë"]
    reports = enrolment.enrol_all(Enroller(gallery, PaintedDetector(), ColourEmbedder()), wanted)
    assert [report.kept for report in reports] == [1, 1]
    assert [person.name for person in gallery.people()] == ["Ann Lee", "Zoë"]


@pytest.mark.parametrize(
    ("name", "complaint"), [("Nobody", "no folder Nobody"), ("empty", "NAME"), ("bad", "longer|characters")]
)
def test_what_is_meant_is_asked_before_anything_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, complaint: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "bad" / ("x" * 150)).mkdir(parents=True)
    with pytest.raises(EnrolmentError, match=complaint):
        enrolment._wanted(name, [])


@pytest.mark.parametrize("name", ["x" * 300, "a/b", "a\\b", "a\x00b", "a\x1b[31mb", ".."])
def test_names_that_cannot_be_names_are_refused_before_pictures_are_read(tmp_path: Path, name: str) -> None:
    with pytest.raises(EnrolmentError, match="name of a person"):
        enrolment._wanted(name, [tmp_path / "none.png"])


def test_sharpness_falls_with_blur_and_not_with_light() -> None:
    portrait = cv2.imread(str(settings.ROOT / "checkpoints/portrait.jpg"))
    assert portrait is not None
    height, width = portrait.shape[:2]
    face = portrait[height // 8 : height * 3 // 8, width // 3 : width * 7 // 12]
    crop = cv2.resize(face, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.uint8)
    dim = (crop * 0.4).astype(np.uint8)
    values = [sharpness(cv2.GaussianBlur(crop, (0, 0), blur).astype(np.uint8)) for blur in (0.5, 2, 4, 8)]
    assert values == sorted(values, reverse=True)
    assert values[0] > 2 * MIN_SHARPNESS > MIN_SHARPNESS > values[-1]
    assert sharpness(dim) == pytest.approx(sharpness(crop), rel=0.02)
    assert sharpness(np.zeros((SIDE, SIDE, 3), np.uint8)) == 0


def test_a_name_that_cannot_be_one(gallery: MemoryGallery, tmp_path: Path) -> None:
    with pytest.raises(EnrolmentError, match="name of a person"):
        run(gallery, paint(tmp_path / "a.png", (0, 10, 100)), name=" ")


@pytest.mark.parametrize("size", [(30, 20), (1280, 1280), (4000, 1000), (1000, 4000), (1, 9000)])
def test_every_picture_fits_on_the_square(size: tuple[int, int]) -> None:
    width, height = size
    square = on_square(np.full((height, width, 3), 255, np.uint8))
    assert square.shape == (SQUARE_PX, SQUARE_PX, 3)
    y, x = np.nonzero(square[..., 0] == 255)
    scale = min(1, SQUARE_PX / max(size))
    assert np.ptp(x) + 1 == max(1, round(width * scale))
    assert np.ptp(y) + 1 == max(1, round(height * scale))
    assert abs(x.min() + x.max() - SQUARE_PX) <= 2


def test_the_command_line() -> None:
    parser = FlagParser(prog="facewire")
    enrolment.add_parsers(parser.add_subparsers(required=True))
    args = parser.parse_args(["enroll", "Ann", "a.png", "folder", "--embedder", "sface"])
    assert (args.name, args.paths, args.command) == ("Ann", [Path("a.png"), Path("folder")], enrolment.enroll_command)
    with pytest.raises(SettingsError, match="NAME"):
        parser.parse_args(["enroll"])


def test_missing_pictures_are_told_before_models_are_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(enrolment, "load_embedder", lambda *_, **__: pytest.fail("loaded a model"))
    with pytest.raises(EnrolmentError, match="cannot be found"):
        enrolment.enroll_command(argparse.Namespace(name="Ann", paths=[tmp_path / "none.png"]))


def test_the_real_models_enrol_the_portrait_of_the_demo(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = flags.engine_options(settings.read())
    files = [file for name in ("mtcnn", "sface") for file in manifest.load(name).files]
    if not all(store.is_there(file, options.models) for file in files):
        pytest.skip(f"no models in {options.models}: python -m checkpoints.fetch")
    parser = FlagParser(prog="facewire")
    enrolment.add_parsers(parser.add_subparsers(required=True))
    words = ["enroll", "Ann", str(settings.ROOT / "checkpoints/portrait.jpg"), "--gallery", str(tmp_path)]
    for said in ("Ann: 1 of 1 pictures enrolled\n", "Ann: 0 of 1 pictures enrolled, 1 known before\n"):
        assert enrolment.enroll_command(parser.parse_args(words)) == 0
        assert capsys.readouterr().out == said
