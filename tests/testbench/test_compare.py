from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from engines.detector import Detector
from engines.options import EngineOptions
from pipeline.film import VideoWriter
from testbench import compare, ours
from testbench.compare import main
from testbench.ours import frames
from testbench.peer import Task

FRAMES = 4
PEER = """
import json, sys, pathlib
turns = pathlib.Path(__file__).with_name("turns")
turns.write_text((turns.read_text() if turns.exists() else "") + "x")
ms = 100 * len(turns.read_text())
print(json.dumps({"peer": "a peer", "ms_per_frame": ms, "fps": 1000 / ms, "faces_per_frame": 1}))
"""


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """A bright square that moves on black, 128×96."""
    path = tmp_path / "clip.mp4"
    writer = VideoWriter(path, (128, 96), 10)
    for number in range(FRAMES):
        image_bgr = np.zeros((96, 128, 3), np.uint8)
        image_bgr[20:60, 10 + 4 * number : 50 + 4 * number] = 255
        writer.write(image_bgr, number / 10)
    writer.close()
    return path


@pytest.fixture
def words(clip: Path, tmp_path: Path) -> Callable[..., list[str]]:
    script = tmp_path / "peer.py"
    script.write_text(PEER)

    def command(work: str, *more: str) -> list[str]:
        with_peer = ["--peer", "facenet-pytorch", "--peer-script", str(script), "--peer-python", sys.executable]
        out = ["--json", str(tmp_path / "out.json")]
        return [work, *with_peer, "--source", str(clip), "--size", "64x48", "--frames", "3", *out, *more]

    return command


@pytest.fixture
def asked(detector: Detector, monkeypatch: pytest.MonkeyPatch) -> list[EngineOptions]:
    options: list[EngineOptions] = []

    def load_detector(config: EngineOptions, *, size_wh: tuple[int, int]) -> Detector:
        assert size_wh == (64, 48)
        options.append(config)
        return detector

    monkeypatch.setattr(ours, "load_detector", load_detector)
    return options


def test_frames_are_scaled_and_end_with_the_file(clip: Path) -> None:
    read = frames(Task("detect", clip, (64, 48), 99, 1, 40))
    assert len(read) == FRAMES
    assert read[0].shape == (48, 64, 3)
    assert read[0][20, 15].min() > 200 > 50 > read[0][20, 60].max()
    assert len(frames(Task("detect", clip, (64, 48), 2, 1, 40))) == 2


def test_detectors_in_turn(words: Callable[..., list[str]], asked: list[EngineOptions], tmp_path: Path) -> None:
    assert main(words("detect", "--turns", "3")) == 0
    figures = json.loads((tmp_path / "out.json").read_text())
    assert figures["peer_ms"] == 200  # the median of its turns: 100, 200, 300
    assert [turn[1] for turn in figures["turns_ms"]] == [100, 200, 300]
    assert figures["ratio"] == pytest.approx(200 / figures["ours_ms"], rel=0.1)
    assert (figures["ours_faces_per_frame"], figures["peer_faces_per_frame"]) == (1, 1)
    assert "same 3 frames of clip.mp4" in figures["same_work"]
    assert (asked[0].detector, asked[0].min_face_px) == ("mtcnn_reference", 40)


def test_beside_a_peer_that_finds_faces_of_any_size_ours_does_too(
    words: Callable[..., list[str]], asked: list[EngineOptions], tmp_path: Path
) -> None:
    wheel = tmp_path / "models.whl"
    wheel.touch()
    assert main(words("detect", "--peer", "opencv", "--peer-wheel", str(wheel), "--turns", "1")) == 0
    assert main(words("detect", "--peer", "opencv", "--peer-wheel", str(wheel), "--turns", "1", "--min-face", "9")) == 0
    assert [(options.detector, options.min_face_px) for options in asked] == [("yunet", 1), ("yunet", 9)]


def test_what_the_peer_found_is_compared(
    words: Callable[..., list[str]], asked: list[EngineOptions], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The peer is right about the first frame, a little off in the second, and finds nothing in the third."""
    told = [[[5, 10, 25, 30]], [[7, 10, 27, 26]], []]
    monkeypatch.setattr(
        "testbench.peer.Peer.boxes", lambda *_: [np.array(boxes, np.float64).reshape(-1, 4) for boxes in told]
    )
    assert main(words("detect", "--turns", "1", "--check-boxes")) == 0
    boxes = json.loads((tmp_path / "out.json").read_text())["boxes"]
    assert boxes == {"ours": 3, "theirs": 2, "same_face": 2, "same_box": 1}


def test_pipelines_in_turn(words: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: list[tuple[Task, EngineOptions]] = []

    def pipeline_fps(task: Task, options: EngineOptions) -> float:
        asked.append((task, options))
        return 100.0

    monkeypatch.setattr(compare.ours, "pipeline_fps", pipeline_fps)
    assert main(words("pipeline", "--turns", "3", "--detect-every", "2", "--detector", "yunet")) == 0
    figures = json.loads((tmp_path / "out.json").read_text())
    assert (figures["ours_ms"], figures["peer_ms"], figures["ratio"]) == (10, 200, 20)
    assert len(asked) == 3
    assert asked[0][0].threads == 2
    assert (asked[0][1].detector, asked[0][1].detect_every) == ("yunet", 2)


def test_a_video_that_is_none_ends_with_2(
    words: Callable[..., list[str]], clip: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clip.write_text("no video")
    assert main(words("detect")) == 2
    assert "cannot be opened" in capsys.readouterr().err


def test_a_program_that_fails_is_told(words: Callable[..., list[str]], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words("pipeline", "--models", "nowhere")) == 2
    said = capsys.readouterr().err
    assert "did not finish its own side" in said
    assert "exit code 2" in said


@pytest.mark.parametrize("flag", ["--size=big", "--frames=0", "--turns=none"])
def test_a_flag_that_makes_no_sense_is_named(
    flag: str, words: Callable[..., list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words("detect", flag))
    assert ended.value.code == 2
    assert flag.split("=")[0] in capsys.readouterr().err


def test_frames_are_scaled_as_opencv_scales(clip: Path) -> None:
    """As the peers' scripts do; the program's own way of scaling is FFmpeg's."""
    full = frames(Task("detect", clip, (128, 96), 1, 1, 40))[0]
    small = frames(Task("detect", clip, (50, 30), 1, 1, 40))[0]
    np.testing.assert_array_equal(small, cv2.resize(full, (50, 30)))
