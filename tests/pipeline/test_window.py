"""The window on a screen that nobody sees: real windows, real keys, real clicks; only the faces are made up."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline import lettering, overlay
from pipeline.config import CameraConfig, CaptureConfig, GalleryConfig, OutputConfig, RunConfig
from pipeline.gallery.desk import Desk
from pipeline.gallery.memory import MemoryGallery
from pipeline.system import System
from pipeline.wiring import STAGES, WINDOW
from testbench.passing import CROP_PX
from tests.virtual_screen import MISSING, WHY_SKIPPED, VirtualScreen

pytestmark = pytest.mark.skipif(bool(MISSING), reason=WHY_SKIPPED)

Watch = Callable[[System], Any]
Image = NDArray[np.uint8]
SIZE_WH = (640, 360)
ANN, SOMEBODY = (80, 100, 180, 220), (400, 150, 520, 300)
GREEN, RED, WHITE = (80, 200, 60), (60, 90, 235), (255, 255, 255)
NAMING = f"""
import numpy as np
from pipeline.messages import Identities, NamedFace
from testbench.passing import Passing

def open_stage(context):
    return Naming(context)

class Naming(Passing):
    def work(self, records):
        return [Identities(tracks.ref, "none", FACES) for tracks in records]

def face(track, box, name, state):
    return NamedFace(track, np.array(box, np.float32), np.zeros((5, 2), np.float32), 0.8, name, state, 0.9, 0.2, 5)

FACES = (face(1, {ANN}, "Ann", "known"), face(7, {SOMEBODY}, None, "unknown"))
"""


@pytest.fixture
def screen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[VirtualScreen]:
    made = VirtualScreen(tmp_path)
    monkeypatch.setenv("DISPLAY", made.display)  # for the processes of the run; this one opens no window
    yield made
    made.close()


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> System:
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "naming_two.py").write_text(NAMING)
    (tmp_path / "gallery").mkdir()
    config = RunConfig(
        cameras=(CameraConfig("Tür", "demo", "demo"),),
        capture=CaptureConfig(size_wh=SIZE_WH, lossless=False, realtime_fps=25.0),
        output=OutputConfig(display="window", snapshots=tmp_path / "snapshots"),
        gallery=GalleryConfig(tmp_path / "gallery"),
    )
    passing = "testbench.passing"
    stages = tuple(replace(row, module="naming_two" if row.name == "lookup" else passing) for row in STAGES)
    return System(config, CROP_PX, stages, sides=(WINDOW,))


class Seen:
    """What the window shows, and what the run says, until either is as expected."""

    def __init__(self, system: System, screen: VirtualScreen) -> None:
        self._system = system
        self._screen = screen
        self.happened: list[tuple[str, str]] = []
        screen.until_window("Facewire – Tür", self.poll)

    def until(self, is_so: Callable[[Image], object]) -> Image:
        def found() -> Image | None:
            self.poll()
            picture = self._screen.picture()[: SIZE_WH[1], : SIZE_WH[0]]
            return picture if is_so(picture) else None

        return self._screen.wait(found)

    def click_until(self, place: tuple[int, int], is_so: Callable[[Image], object]) -> Image:
        """Again now and then: on a busy machine a click may come while Qt still puts the window up, and be lost."""
        looks = itertools.count()

        def clicked(picture: Image) -> object:
            if next(looks) % 40 == 0:
                self._screen.click(*place)
            return is_so(picture)

        return self.until(clicked)

    def poll(self) -> None:
        happened, _ = self._system.poll(0.0)
        self.happened += [(one.kind, one.text) for one in happened if one.kind != "frames"]


def frame_of(picture: Image, box: tuple[int, int, int, int]) -> Image:
    """The pixels of the box's left edge."""
    return picture[box[1] + 2 : box[3] - 2, box[0]]


def is_drawn(picture: Image, box: tuple[int, int, int, int], colour: tuple[int, int, int]) -> bool:
    return bool((frame_of(picture, box) == colour).all())


def says(picture: Image, text: str, box: tuple[int, int, int, int], colour: tuple[int, int, int]) -> bool:
    """Whether the text stands on its label right above the box."""
    px = overlay.letters_px(picture)
    high = lettering.line_px(px)
    across = lettering.width_of(text, px)
    wanted: Image = np.full((high, across, 3), colour, np.uint8)
    lettering.write(wanted, text, (0, px), (20, 20, 20), px)
    label = picture[box[1] - high - 2 : box[1] + 2, box[0] - 2 : box[0] + across + 8]
    return bool(cv2.matchTemplate(label, wanted, cv2.TM_SQDIFF_NORMED).min() < 0.02)


def drawn_in_full(picture: Image) -> bool:
    return is_drawn(picture, ANN, GREEN) and is_drawn(picture, SOMEBODY, RED)


def test_boxes_and_names_are_on_the_right_faces(screen: VirtualScreen, system: System) -> None:
    with system:
        picture = Seen(system, screen).until(drawn_in_full)
        assert says(picture, "Ann 0.90", ANN, GREEN)
        assert says(picture, "unknown #7", SOMEBODY, RED)
        assert not says(picture, "Bob 0.90", ANN, GREEN)


def test_keys(screen: VirtualScreen, system: System, tmp_path: Path) -> None:
    with system:
        seen = Seen(system, screen)
        before = seen.until(drawn_in_full)
        screen.click(320, 200)  # beside both faces
        screen.press("l")
        seen.until(lambda picture: (picture[20:100, 5:60] > 200).sum() > (before[20:100, 5:60] > 200).sum() + 100)
        screen.press("l", "s")
        seen.until(lambda _: list((tmp_path / "snapshots").glob("Tür-*.jpg")))
        seen.until(lambda _: any("written: " in text for kind, text in seen.happened if kind == "said"))
        (path,) = (tmp_path / "snapshots").glob("*.jpg")
        assert cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR) is not None
        screen.press("q")
        seen.until(lambda _: ("stop", "asked to quit by a key") in seen.happened)


def test_a_pause_holds_the_picture_and_not_the_run(screen: VirtualScreen, system: System) -> None:
    with system:
        seen = Seen(system, screen)
        seen.until(drawn_in_full)
        screen.click(320, 200)
        screen.press("space")
        held = seen.until(lambda picture: picture[:16, 60:130].max() > 200)[40:320]
        captured = system.captured()["Tür"]
        seen.until(lambda _: system.captured()["Tür"] > captured + 10)
        assert (screen.picture()[40:320, : SIZE_WH[0]] == held).all()
        screen.press("space")
        seen.until(lambda picture: (picture[40:320] != held).any())


def test_a_clicked_face_is_given_a_name(screen: VirtualScreen, system: System, tmp_path: Path) -> None:
    asked: list[tuple[str, int, str]] = []

    def name_face(camera: str, track: int, name: str) -> int:
        asked.append((camera, track, name))
        return 2

    with closing(Desk(MemoryGallery(space="none", dim=4), tmp_path / "gallery", name_face)) as desk, system:
        seen = Seen(system, screen)
        seen.until(drawn_in_full)
        seen.click_until(
            (460, 220), lambda picture: (picture[SOMEBODY[1] + 5 : SOMEBODY[3] - 5, SOMEBODY[0] - 1] == WHITE).all()
        )
        foot = slice(SIZE_WH[1] - lettering.line_px(12), SIZE_WH[1])
        screen.press_seen(["n", *"bob", "space", *"lee", "BackSpace", "Return"], foot)

        def served(_: Image) -> bool:
            desk.serve_waiting()
            return any("Bob Le: 2 new pictures" in text for _, text in seen.happened)

        seen.until(served)
        assert asked == [("Tür", 7, "Bob Le")]


def test_closing_the_window_ends_the_run(screen: VirtualScreen, system: System) -> None:
    with system:
        seen = Seen(system, screen)
        seen.until(drawn_in_full)
        screen.close_window("Facewire")
        seen.until(lambda _: ("stop", "the window was closed") in seen.happened)
