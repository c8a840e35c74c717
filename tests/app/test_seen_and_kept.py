"""The whole program, from outside: what is recorded, and what somebody at the window does."""

from __future__ import annotations

import json
import os
import select
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from checkpoints.portrait import PERSON, portrait
from pipeline import lettering
from pipeline.config import CameraConfig
from pipeline.film import VideoWriter
from pipeline.video import VideoReader
from tests.virtual_screen import MISSING, WHY_SKIPPED, VirtualScreen

ReadEvents = Callable[[Path], list[dict[str, Any]]]
LEFT, TOP, SIDE = 150, 60, 400  # where the portrait is in the clip


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """Somebody who stands still, for a minute: with each round of a looped file tracks begin anew."""
    image_bgr = np.full((480, 640, 3), 90, np.uint8)
    image_bgr[TOP : TOP + SIDE, LEFT : LEFT + SIDE] = cv2.resize(portrait(), (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    writer = VideoWriter(tmp_path / "still.mp4", (640, 480), 25)
    for index in range(1500):
        writer.write(image_bgr, index / 25)
    writer.close()
    return tmp_path / "still.mp4"


@pytest.fixture
def screen(tmp_path: Path) -> Iterator[VirtualScreen]:
    made = VirtualScreen(tmp_path)
    yield made
    made.close()


def wait_for(running: Any, text: str) -> None:
    for line in running.stdout:
        if text in line:
            return
    raise AssertionError(f"it ended without saying {text}")


def times(path: Path) -> list[float]:
    reader = VideoReader(CameraConfig("r", str(path), str(path)))
    found = [at_s for at_s, _ in reader.frames()]
    reader.close()
    return found


def test_what_was_recorded_until_it_was_killed_can_be_played(program: Any, tmp_path: Path) -> None:
    record = tmp_path / "out.mp4"
    running = program.start("--source", "demo", "--realtime", 25, "--record", record)
    wait_for(running, PERSON)
    never = threading.Event()
    while not record.exists() or record.stat().st_size < 200_000:
        assert running.poll() is None
        never.wait(0.05)
    os.killpg(running.pid, signal.SIGKILL)  # all its processes
    running.communicate(timeout=60)
    played = times(record)
    assert len(played) >= 20
    assert played == sorted(set(played))
    frames = np.array(played) * 25
    assert np.abs(frames - frames.round()).max() < 0.01, "the times are those of the camera, and what it dropped is not"


def test_a_clip_is_kept_of_who_was_seen(program: Any, tmp_path: Path, read_events: ReadEvents) -> None:
    events, folder = tmp_path / "e.jsonl", tmp_path / "clips"
    ended = program.run("--source", "demo", "--frames", 150, "--clips", folder, "--events", events, CLIP_SECONDS="2")
    assert ended.code == 0, ended.said
    (told,) = [event for event in read_events(events) if event["type"] == "clip"]
    assert told["event"] in {event.get("id") for event in read_events(events)}
    assert 2.0 <= times(folder / told["file"])[-1] <= 5.0


@pytest.mark.timeout(400)
@pytest.mark.skipif(bool(MISSING), reason=WHY_SKIPPED)
def test_a_face_is_named_by_a_click_and_a_few_keys(
    program: Any, clip: Path, screen: VirtualScreen, tmp_path: Path, read_events: ReadEvents
) -> None:
    events = tmp_path / "e.jsonl"
    running = program.start(
        *("--source", clip, "--loop", "--realtime", 25, "--events", events, "--display", "window"),
        DISPLAY=screen.display,
    )
    screen.until_window("Facewire")
    while not (events.exists() and '"unknown"' in events.read_text()):
        assert running.poll() is None, "it ended before"
        select.select([running.stdout], [], [], 0.1)
    green, red = np.array((80, 200, 60)), np.array((60, 90, 235))

    def label(picture: Any, colour: Any) -> bool:
        """Whether a label of this colour is on the portrait."""
        return bool((picture[TOP : TOP + SIDE, LEFT : LEFT + SIDE] == colour).all(axis=2).sum() > 700)

    screen.until(lambda picture: label(picture, red))
    screen.click(LEFT + SIDE * 221 // 512, TOP + SIDE * 117 // 512)  # the middle of the portrait's face
    screen.press_seen(["n", *"eileen", "Return"], slice(480 - lettering.line_px(13), 480))
    wait_for(running, "still: Eileen")
    screen.until(lambda picture: label(picture, green) and not label(picture, red))
    (person,) = json.loads(program.run("gallery", "list", "--json").said)
    assert person["name"] == "Eileen"
    assert "Eileen" in {event.get("name") for event in read_events(events)}
    screen.press("q")
    running.communicate(timeout=60)
    assert running.returncode == 0
