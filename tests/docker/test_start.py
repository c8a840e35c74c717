"""What a container begins with, with a stand-in for Python."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from app.settings import ROOT

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="containers run Linux")

PYTHON = """#!/bin/sh
echo "$$ $*" >>"$CALLS"
case "$2" in app.prepare) exit "${PREPARE_EXIT:-0}" ;; app.main) exit 7 ;; esac
"""


class Container:
    def __init__(self, folder: Path) -> None:
        self.data, self.models, self.calls = folder / "data", folder / "models", folder / "calls"
        self.models.mkdir()
        (self.models / "a.onnx").write_text("of the image", encoding="utf-8")
        (self.models / "b.onnx").write_text("of the image", encoding="utf-8")
        (folder / "python").write_text(PYTHON, encoding="utf-8")
        (folder / "python").chmod(0o755)
        text = (ROOT / "docker/start.sh").read_text(encoding="utf-8")
        assert "/opt/facewire/models/" in text
        self.script = folder / "start.sh"
        self.script.write_text(text.replace("/opt/facewire/models/", f"{self.models}/"), encoding="utf-8")
        self.path = f"{folder}:/usr/bin:/bin"

    def start(self, *words: str, **environ: str) -> tuple[int, int]:
        given = {"PATH": self.path, "DATA_DIR": str(self.data), "CALLS": str(self.calls)}
        with subprocess.Popen(["sh", str(self.script), *words], env=given | environ) as process:
            return process.pid, process.wait(60)


@pytest.fixture
def container(tmp_path: Path) -> Container:
    return Container(tmp_path)


def test_the_program_takes_the_place_of_the_script(container: Container) -> None:
    pid, code = container.start("--size", "640x360", "--record", "a b.mp4")
    calls = [line.split(" ", 1) for line in container.calls.read_text(encoding="utf-8").splitlines()]
    assert [words for _, words in calls] == ["-m app.prepare", "-m app.main --size 640x360 --record a b.mp4"]
    assert calls[1][0] == str(pid)
    assert code == 7


def test_models_of_the_image_are_brought_and_others_are_left_alone(container: Container) -> None:
    (container.data / "models").mkdir(parents=True)
    (container.data / "models/a.onnx").write_text("of the user", encoding="utf-8")
    container.start()
    assert (container.data / "models/a.onnx").read_text(encoding="utf-8") == "of the user"
    assert (container.data / "models/b.onnx").read_text(encoding="utf-8") == "of the image"
    assert (container.data / "models/b.onnx").stat().st_mode & 0o077 == 0


def test_half_a_model_never_has_its_name(container: Container, tmp_path: Path) -> None:
    (tmp_path / "cp").write_text('#!/bin/sh\nprintf half >"$2"\nexit 1\n', encoding="utf-8")
    (tmp_path / "cp").chmod(0o755)
    _, code = container.start()
    assert code == 1
    assert [path.name for path in (container.data / "models").iterdir()] == ["a.onnx.part"]
    (tmp_path / "cp").unlink()
    container.start()
    assert {path.name: path.read_text("utf-8") for path in (container.data / "models").iterdir()} == {
        "a.onnx": "of the image",
        "b.onnx": "of the image",
    }


def test_without_models_nothing_is_started(container: Container) -> None:
    _, code = container.start(PREPARE_EXIT="2")
    assert code == 2
    assert "app.main" not in container.calls.read_text(encoding="utf-8")
