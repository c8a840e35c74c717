"""Faces are painted rectangles that a detector of the tests finds, and their colours are who they are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from app import looking, pictures
from app.looking import Looker, Naming
from app.square import SQUARE_PX, off_square, on_square
from checkpoints.portrait import PATH as PORTRAIT
from engines.models import embedder_model
from engines.options import EngineOptions
from pipeline.config import GalleryConfig
from pipeline.gallery.gallery import Picture
from pipeline.gallery.matcher import open_matcher
from pipeline.gallery.memory import MemoryGallery
from tests.app.painted import ColourEmbedder, PaintedDetector

BLUE, GREEN, RED = range(3)


def photograph(*faces: tuple[int, int, int], size_wh: tuple[int, int] = (640, 480)) -> NDArray[np.uint8]:
    """Faces are (channel, x, width), 20 pixels below the upper edge."""
    image_bgr = np.full((size_wh[1], size_wh[0], 3), 127, np.uint8)
    for channel, x, width in faces:
        image_bgr[20 : 20 + width, x : x + width] = 255 * np.eye(3, dtype=np.uint8)[channel]
    return image_bgr


@pytest.fixture
def worth(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What every face is worth."""
    values = [0.9]
    monkeypatch.setattr(looking, "quality", lambda crops, *_: np.full(len(crops), values[0], np.float32))
    return values


@pytest.fixture
def looker(worth: list[float], tmp_path: Path) -> Looker:
    gallery = MemoryGallery(space="colours", dim=3)
    gallery.add("Rita", [Picture(np.array([0, 0, 1], np.float32), "r", 0.9)])
    gallery.add(None, [Picture(np.array([0, 1, 0], np.float32), "g", 0.9)])
    config = GalleryConfig(tmp_path, match_threshold=0.5)
    matcher = open_matcher(gallery, embedder_model(EngineOptions()).known, config)
    return Looker(PaintedDetector(), ColourEmbedder.crop, Naming(ColourEmbedder(), matcher))


def test_faces_are_named_and_strangers_are_not(looker: Looker) -> None:
    seen = looker.look(photograph((RED, 50, 100), (GREEN, 200, 100), (BLUE, 400, 100)))
    red, green, blue = sorted(seen, key=lambda face: float(face.box_xyxy[0]))
    assert (red.name, red.state) == ("Rita", "known")
    assert red.cosine > 0.99
    assert (green.name, green.state, green.nearest[0].name) == (None, "unknown", None)
    assert (blue.name, blue.state) == (None, "unknown")


def test_a_face_that_is_not_clear_gets_no_verdict(looker: Looker, worth: list[float]) -> None:
    worth[0] = 0.2
    (face,) = looker.look(photograph((RED, 50, 100)))
    assert (face.name, face.state, face.nearest[0].name) == (None, "undecided", "Rita")


def test_nobody_is_asked_who_it_is(worth: list[float]) -> None:
    (face,) = Looker(PaintedDetector(), ColourEmbedder.crop).look(photograph((RED, 50, 100)))
    assert (face.state, face.name, face.nearest) == (None, None, ())
    assert Looker(PaintedDetector(), ColourEmbedder.crop).look(photograph()) == []


def test_places_are_those_of_the_photograph(worth: list[float]) -> None:
    (face,) = Looker(PaintedDetector(), ColourEmbedder.crop).look(photograph((RED, 1800, 400), size_wh=(2560, 1440)))
    assert face.box_xyxy == pytest.approx([1800, 20, 2200, 420], abs=4)
    assert ((face.landmarks > (1800, 20)) & (face.landmarks < (2200, 420))).all()


@pytest.mark.parametrize("size_wh", [(640, 480), (1280, 1280), (4000, 10), (33, 3001), (1, 1)])
def test_the_way_to_the_square_and_back(size_wh: tuple[int, int]) -> None:
    assert on_square(np.zeros((size_wh[1], size_wh[0], 3), np.uint8)).shape == (SQUARE_PX, SQUARE_PX, 3)
    middle = np.full((1, 2), SQUARE_PX / 2, np.float32)
    assert off_square(middle, size_wh)[0] == pytest.approx(np.array(size_wh) / 2, rel=0.01, abs=2)


def test_what_cannot_be_read_is_told_and_the_rest_is_looked_at(looker: Looker, tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"%PDF-1.4")
    cv2.imwrite(str(tmp_path / "b.png"), photograph((RED, 50, 100)))
    cv2.imwrite(str(tmp_path / "c.png"), photograph())
    paths = [tmp_path / name for name in ("a.jpg", "b.png", "c.png")]
    told = list(pictures.looked_at(looker, paths, tmp_path / "drawn"))
    assert [str(one).splitlines()[0].partition(": ")[2] for one in told] == [
        "not a picture that can be decoded",
        "1 face",
        "no face",
    ]
    assert "  Rita (cosine 1.00" in str(told[1])
    assert told[0].as_json() == {"path": str(paths[0]), "error": "not a picture that can be decoded"}
    (face,) = json.loads(json.dumps(told[1].as_json()))["faces"]
    assert (face["name"], face["state"], face["nearest"][0][0]) == ("Rita", "known", "Rita")
    assert sorted(path.name for path in (tmp_path / "drawn").iterdir()) == ["0002-b.jpg", "0003-c.jpg"]


def test_the_commands_with_the_real_models(program: Any, tmp_path: Path) -> None:
    found = program.run("detect", PORTRAIT, "--json", "-")
    assert found.code == 0, found.said
    (picture,) = json.loads(found.said)
    assert "state" not in picture["faces"][0]
    assert program.run("enroll", "Eileen", PORTRAIT).code == 0
    named = program.run("identify", PORTRAIT, "--json", tmp_path / "out.json")
    assert "1 face\n  Eileen (cosine " in named.said
    (face,) = json.loads((tmp_path / "out.json").read_text())[0]["faces"]
    assert face["box"] == pytest.approx(picture["faces"][0]["box"], abs=1)
    broken = tmp_path / "no.jpg"
    broken.write_bytes(b"")
    assert program.run("identify", broken).code == 1
    missing = program.run("identify", tmp_path / "nowhere.jpg")
    assert missing.code == 2 and "cannot be found" in missing.said
