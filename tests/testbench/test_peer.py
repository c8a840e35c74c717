from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from checkpoints.errors import SettingsError
from testbench.peer import Peer, Task

TASK = Task("detect", Path("clip.mp4"), (64, 36), 3, 1, 40)
SAYS_WHAT_IT_WAS_TOLD = """
import json, sys
print("a line before")
print(json.dumps({"peer": " ".join(sys.argv[1:]), "ms_per_frame": 2.5, "fps": 300, "faces_per_frame": 1.5}))
"""


@pytest.fixture
def peer(tmp_path: Path) -> Peer:
    script = tmp_path / "script.py"
    script.write_text(SAYS_WHAT_IT_WAS_TOLD)
    return Peer("facenet-pytorch", script, Path(sys.executable), None)


def test_what_the_script_is_told_and_tells(peer: Peer) -> None:
    result = peer.run(TASK)
    assert result.title == "detect clip.mp4 64x36 --threads 1 --frames 3 --min-face 40"
    assert (result.ms_per_frame, result.fps, result.faces_per_frame) == (2.5, 300, 1.5)


def test_opencv_is_given_its_wheel_first_and_no_smallest_face(peer: Peer, tmp_path: Path) -> None:
    wheel = tmp_path / "models.whl"
    wheel.touch()
    result = replace(peer, name="opencv", wheel=wheel).run(replace(TASK, work="pipeline", threads=2))
    assert result.title == f"pipeline {wheel} clip.mp4 64x36 --threads 2 --frames 3"


@pytest.mark.parametrize("missing", ["script", "python"])
def test_a_missing_file_is_named_with_its_flag(missing: str, peer: Peer) -> None:
    with pytest.raises(SettingsError) as caught:
        replace(peer, **{missing: Path("nowhere")})
    assert f"--peer-{missing} nowhere" in str(caught.value)


def test_opencv_without_its_wheel_is_told(peer: Peer) -> None:
    with pytest.raises(SettingsError, match="needs its models"):
        replace(peer, name="opencv")
    with pytest.raises(SettingsError, match="a file is missing"):
        replace(peer, name="opencv", wheel=Path("nowhere.whl"))


def test_what_a_failing_peer_said_last_is_told(peer: Peer) -> None:
    peer.script.write_text("import sys\nprint('No module named torch', file=sys.stderr)\nsys.exit(3)")
    with pytest.raises(SettingsError) as caught:
        peer.run(TASK)
    assert "exit code 3" in str(caught.value)
    assert "No module named torch" in str(caught.value)


@pytest.mark.parametrize("output", ["", "hello", '{"peer": "x"}', '{"peer": "x", "ms_per_frame": null}', "[1]"])
def test_a_script_that_tells_no_figures_is_told(output: str, peer: Peer) -> None:
    peer.script.write_text(f"print({output!r})")
    with pytest.raises(SettingsError, match="did not say what it measured"):
        peer.run(TASK)


def test_a_python_that_is_none_is_told(peer: Peer, tmp_path: Path) -> None:
    not_executable = tmp_path / "python"
    not_executable.touch()
    with pytest.raises(SettingsError, match="cannot be started"):
        replace(peer, python=not_executable).run(TASK)


PEERS_PACKAGES = {
    "facenet-pytorch": (
        "facenet_pytorch.py",
        """
class MTCNN:
    calls = 0
    def detect(self, frame, landmarks):
        self.calls += 1
        return ([[1, 2, 3, 4]] * 2 if self.calls > 2 else None), None, None
""",
        """
def stand_in_for_torchvision(): global ready; ready = True
def main():
    assert ready
    from facenet_pytorch import MTCNN
    detector = MTCNN()
    for _ in range(3): detector.detect("frame", landmarks=True)
""",
    ),
    "opencv": (
        "cv2.py",
        """
class Detector:
    calls = 0
    def detect(self, frame):
        self.calls += 1
        return 1, ([[1, 2, 2, 2, 99, 99]] * 2 if self.calls > 2 else None)
class FaceDetectorYN:
    @staticmethod
    def create(*model): assert model == ("model", ""); return Detector()
""",
        """
import cv2
def main():
    detector = cv2.FaceDetectorYN.create("model", "")
    for _ in range(3): detector.detect("frame")
""",
    ),
}


@pytest.mark.parametrize("name", list(PEERS_PACKAGES))
def test_boxes_are_heard_behind_the_first_frame(name: str, peer: Peer, tmp_path: Path) -> None:
    """The script and its package are stand-ins; the first of the three calls is the one that warms up."""
    module, package, script = PEERS_PACKAGES[name]
    (tmp_path / module).write_text(package)
    peer.script.write_text(script)  # which finds the package because both lie in one folder
    (tmp_path / "models.whl").touch()
    wheel = tmp_path / "models.whl" if name == "opencv" else None
    nothing, two = replace(peer, name=name, wheel=wheel).boxes(TASK)  # type: ignore[arg-type]
    assert nothing.shape == (0, 4)
    np.testing.assert_array_equal(two, [[1, 2, 3, 4]] * 2)
