"""The stage with outputs that fail: their folder is no folder, for a while."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from checkpoints.errors import UserError
from pipeline import retry
from pipeline.clock import now_ns
from pipeline.config import CameraConfig, CaptureConfig, OutletsConfig, OutputConfig, RunConfig
from pipeline.messages import FrameRef, Identities, NamedFace, Shown
from pipeline.stage import StageContext
from pipeline.stages import draw
from pipeline.stages.draw import Draw

BOX = np.array([20, 20, 60, 70], np.float32)
LANDMARKS = np.array([(30, 35), (50, 35), (40, 45), (33, 58), (47, 58)], np.float32)


class Frames:
    """Stands for the ring: every frame is grey, and a lease can be had for each."""

    def at(self, _ref: FrameRef) -> Any:
        return self

    def release(self) -> None:
        """It is not counted here."""


class Running:
    """A stage that was opened, with a recording and pictures of faces; what it complained of."""

    def __init__(self, folder: Path, *, live: bool) -> None:
        self.complaints: list[UserError] = []
        self.config = RunConfig(
            cameras=(CameraConfig("door", "demo", "demo", live=live),),
            capture=CaptureConfig(lossless=False),
            output=OutputConfig(events=folder / "events.jsonl", record=folder / "films" / "door.mp4"),
            outlets=OutletsConfig(store=folder / "store"),
        )
        context = StageContext(
            stage="draw",
            config=self.config,
            look=Frames(),  # type: ignore[arg-type]
            generation=0,
            say=lambda text: None,
            promise=lambda frames: None,
            complain=self.complaints.append,
            request_stop=lambda why: None,
        )
        self.stage = Draw(context, Frames())  # type: ignore[arg-type]
        self.seq = 0

    def show(self, times: int = 1) -> list[Shown | None]:
        """Frames with a face each that was not seen before."""
        shown = []
        for _ in range(times):
            ref = FrameRef("door", 0, self.seq, self.seq / 25, now_ns(), self.seq, (96, 96))
            self.seq += 1
            shown += self.stage.work([Identities(ref, "none", (face(self.seq),))])
        return shown


def face(track: int) -> NamedFace:
    return NamedFace(track, BOX, LANDMARKS, 0.9, None, "undecided", 0.0, 0.0, 0)


@pytest.fixture(autouse=True)
def _no_ring(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(draw, "image_of", lambda lease: np.full((96, 96, 3), 127, np.uint8))


def test_outputs_that_could_not_be_written_are_written_when_they_can_be_and_no_event_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "store").write_text("in the way")
    running = Running(tmp_path, live=True)
    before = running.show()
    assert running.stage._cropping is not None
    running.stage._cropping.close()  # until its thread has tried to write
    before += running.show(3)
    assert all(before)
    assert len(running.complaints) == 2
    assert not (tmp_path / "films").exists()
    (tmp_path / "films").mkdir()
    (tmp_path / "store").unlink()
    running.show()
    assert not list(tmp_path.glob("films/*")), "it is not tried at every frame"

    monkeypatch.setattr(running.stage._record_again, "_due_ns", 0)
    monkeypatch.setattr(running.stage._crop_again, "_due_ns", 0)
    running.stage.idle()
    running.show(3)
    running.stage.close()
    assert len(running.complaints) == 2
    assert [film.name for film in tmp_path.glob("films/*")] == ["door.part2.mp4"]
    assert len(list(tmp_path.glob("store/crops/??/*.jpg"))) == 3
    told = [json.loads(line) for line in (tmp_path / "events.jsonl").read_text().splitlines()]
    assert [event["frame"] for event in told] == list(range(running.seq))


def test_a_run_that_has_an_end_gives_an_output_up_for_good(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "FIRST_PAUSE_S", 0.0)
    running = Running(tmp_path, live=False)
    assert all(running.show(2))
    (tmp_path / "films").mkdir()
    running.show(2)
    running.stage.close()
    assert len(running.complaints) == 1
    assert not list(tmp_path.glob("films/*"))
