"""scripts/setup_environment.sh with stand-ins for run.sh, Python and nvidia-smi; the .bat beside it is only read."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from app.settings import ROOT

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the .sh is for Linux and macOS")

RUN = '#!/bin/bash\necho "run.sh $*" >>"$CALLS"\nexit "${RUN_EXIT:-0}"\n'
PYTHON = '#!/bin/bash\necho "python $*" >>"$CALLS"\n[[ "$2" != pip ]] || exit "${PIP_EXIT:-0}"\n'
SMI = '#!/bin/bash\nexit "${SMI_EXIT:-0}"\n'


class Machine:
    def __init__(self, folder: Path) -> None:
        self.root, self.bin, self.calls = folder / "a repository", folder / "bin", folder / "calls"
        (self.root / "scripts").mkdir(parents=True)
        (self.root / ".venv/bin").mkdir(parents=True)
        self.bin.mkdir()
        shutil.copy(ROOT / "scripts/setup_environment.sh", self.root / "scripts")
        shutil.copy(ROOT / "pyproject.toml", self.root)
        self.put(self.root / "run.sh", RUN)
        self.put(self.root / ".venv/bin/python", PYTHON)

    def put(self, path: Path, text: str) -> None:
        path.write_text(text, encoding="utf-8")
        path.chmod(0o755)

    def run(self, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
        script = str(self.root / "scripts/setup_environment.sh")
        given = {"PATH": f"{self.bin}:{os.environ['PATH']}", "CALLS": str(self.calls)}
        return subprocess.run(
            [script, *words], env=given | environ, capture_output=True, text=True, check=False, timeout=60
        )

    def called(self) -> list[str]:
        return self.calls.read_text(encoding="utf-8").splitlines()


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def wanted() -> str:
    found = re.search(r'"(torch==[\d.]+)"', (ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert found is not None
    return found[1]


@pytest.mark.parametrize("words", [(), ("--cpu",)])
def test_without_a_gpu_the_small_pytorch_comes_before_the_rest(machine: Machine, words: tuple[str, ...]) -> None:
    machine.put(machine.bin / "nvidia-smi", SMI)
    done = machine.run(*words, SMI_EXIT="0" if words else "9")
    assert done.returncode == 0, done.stderr
    setup, pip, train, tells = machine.called()
    assert (setup, train, tells) == ("run.sh setup", "run.sh train --help", "python -")
    assert pip.endswith(f"--index-url https://download.pytorch.org/whl/cpu {wanted()}")


def test_with_a_gpu_the_usual_pytorch_is_taken(machine: Machine) -> None:
    machine.put(machine.bin / "nvidia-smi", SMI)
    assert machine.run().returncode == 0
    assert machine.called() == ["run.sh setup", "run.sh train --help", "python -"]


def test_where_the_index_is_not_reached_the_usual_pytorch_is_taken(machine: Machine) -> None:
    done = machine.run("--cpu", PIP_EXIT="1")
    assert done.returncode == 0
    assert "run.sh train --help" in machine.called()


def test_what_fails_ends_it(machine: Machine) -> None:
    assert machine.run("--cpu", RUN_EXIT="3").returncode == 3
    assert machine.called() == ["run.sh setup"]


def test_an_unknown_flag_sets_nothing_up(machine: Machine) -> None:
    done = machine.run("--gpu")
    assert done.returncode == 1
    assert "saw: --gpu" in done.stderr
    assert not machine.calls.exists()


def test_the_one_for_windows_does_the_same() -> None:
    content = (ROOT / "scripts/setup_environment.bat").read_bytes()
    assert content.count(b"\n") == content.count(b"\r\n")
    text = content.decode("ascii")
    assert set(re.findall(r"goto (\w+)", text)) == set(re.findall(r"^:(\w+)\r$", text, re.MULTILINE))
    shell = (ROOT / "scripts/setup_environment.sh").read_text(encoding="utf-8")
    for both in ("--cpu", "https://download.pytorch.org/whl/cpu", "nvidia-smi -L", "train --help", "setup"):
        assert both in text
        assert both in shell
    assert text.index("%dev% setup") < text.index("-m pip install") < text.index("%dev% train")
