from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODELS = ROOT / "data" / "models"


@dataclass
class Ended:
    code: int
    said: str

    def __post_init__(self) -> None:
        assert "Traceback" not in self.said, self.said


class Program:
    """`python -m app.main` as a person starts it, with a data folder of its own and the fetched models."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.data.mkdir()
        (self.data / "models").symlink_to(MODELS)
        (self.data / "engines").symlink_to(ROOT / "data" / "engines")
        self._started: list[subprocess.Popen[str]] = []

    def environment(self, **more: str) -> dict[str, str]:
        kept = {
            k: v
            for k, v in os.environ.items()
            if k in ("PATH", "HOME", "TMPDIR", "LANG", "LD_LIBRARY_PATH", "XAUTHORITY")
        }
        return {**kept, "DATA_DIR": str(self.data), "DISPLAY_MODE": "none", **more}

    def start(self, *arguments: object, **more: str) -> subprocess.Popen[str]:
        """In a session of its own, so that all its processes can be found again."""
        process = subprocess.Popen(
            [sys.executable, "-m", "app.main", *map(str, arguments)],
            cwd=ROOT,
            env=self.environment(**more),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._started.append(process)
        return process

    def run(self, *arguments: object, **more: str) -> Ended:
        process = self.start(*arguments, **more)
        said, _ = process.communicate(timeout=150)
        return Ended(process.returncode, said)

    def still_running(self, process: subprocess.Popen[str]) -> list[str]:
        """Command lines of the processes of its session."""
        left = []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                stat = (entry / "stat").read_text().rpartition(")")[2].split()
                command = (entry / "cmdline").read_bytes()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if int(stat[3]) == process.pid and stat[0] not in "ZX" and command:  # one that is exiting has none left
                left.append(command.replace(b"\0", b" ").decode())
        return left

    def clean_up(self) -> None:
        for process in self._started:
            if process.poll() is None:
                process.kill()
            process.wait()
            if process.stdout is not None:
                process.stdout.close()


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    if not (MODELS / "sface.onnx").exists():
        pytest.skip("the models are not here: python -m checkpoints.fetch brings them")
    made = Program(tmp_path)
    yield made
    made.clean_up()


@pytest.fixture
def read_events() -> Callable[[Path], list[dict[str, Any]]]:
    return lambda path: [json.loads(line) for line in path.read_text().splitlines()]
