"""The run of one camera of a fleet: the same as `python -m app.main`, with its events told to the fleet's store."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from hashlib import sha256
from io import FileIO
from pathlib import Path
from typing import Any

from app import flags, settings
from app.flags import Plan
from app.fleet.roster import FleetCamera
from app.run import Run
from app.settings import Settings
from checkpoints.errors import OutputError
from checkpoints.exit_code import exit_code
from pipeline.config import CollectorConfig
from pipeline.file_names import safe

SHARED = ("models", "engines")  # of all cameras of a machine
_GRACE_S = 8.0  # for the run to end in, before it is killed: more than it needs by itself


@dataclass(frozen=True, slots=True)
class Task:
    """What a warden writes to the run's standard input.

    run     marks its events
    chosen  settings, as texts
    """

    camera: FleetCamera
    run: str
    chosen: Mapping[str, str] = field(repr=False)
    collector: str
    secret: str = field(repr=False)

    def as_line(self) -> str:
        told = {"camera": asdict(self.camera), "run": self.run, "chosen": dict(self.chosen)}
        return json.dumps({**told, "collector": self.collector, "secret": self.secret}) + "\n"

    @classmethod
    def of_line(cls, line: str) -> Task:
        told: dict[str, Any] = json.loads(line)
        return cls(**{**told, "camera": FleetCamera(**told["camera"])})


def main(told: FileIO) -> int:
    """told  not buffered: a thread that waits inside a buffer cannot be left behind at the end of a process"""
    task = Task.of_line(told.readline().decode())
    threading.Thread(target=_end_with, args=(told,), name="leash", daemon=True).start()
    return exit_code(lambda: _run(task))


def cameras_dir(data_dir: Path) -> Path:
    """Of all cameras that this machine has ever had."""
    return data_dir / "fleet" / "cameras"


def folder_name(camera: str) -> str:
    """Another one for each name, also where a file cannot be called so."""
    name = safe(camera)
    return name if name == camera else f"{name}-{sha256(camera.encode()).hexdigest()[:6]}"


def folder_of(data_dir: Path, camera: str) -> Path:
    """A data folder for the camera alone, with the models that all share."""
    folder = cameras_dir(data_dir) / folder_name(camera)
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for name in SHARED:
            (data_dir / name).mkdir(exist_ok=True)
            if not (folder / name).exists():
                (folder / name).symlink_to((data_dir / name).resolve())
    except OSError as error:
        raise OutputError(
            "The camera's data cannot be kept.", saw=f"{folder}: {error.strerror}", fix="choose another DATA_DIR"
        ) from error
    return folder


def plan_of(task: Task) -> Plan:
    own = folder_of(settings.read().data_dir, task.camera.name)
    chosen = _alone(settings.read({**task.chosen, "DATA_DIR": str(own), "DISPLAY_MODE": "web"}), own)
    plan = flags.run_config(chosen, (task.camera.config(),))
    outlets = plan.config.outlets
    assert outlets is not None  # there is a console
    return replace(
        plan,
        config=replace(
            plan.config,
            output=replace(plan.config.output, event_run=task.run),
            outlets=replace(outlets, collector=CollectorConfig(task.collector, task.secret)),
        ),
    )


def _alone(chosen: Settings, own: Path) -> Settings:
    """Files and folders that the machine's own settings name would be those of all its cameras."""
    output = chosen.output
    return replace(
        chosen,
        gallery=replace(chosen.gallery, path=own / "gallery"),
        output=replace(
            output,
            events=own / "events.jsonl",
            record=None if output.record is None else own / "recordings",
            clips=None if output.clips is None else own / "clips",
            report=None if output.report is None else own / "report.json",
            trace=None if output.trace is None else own / "trace.json",
        ),
    )


def _run(task: Task) -> int:
    plan = plan_of(task)
    return Run(plan.config, report=plan.report, trace=plan.trace, sides=plan.sides)()


def _end_with(told: FileIO) -> None:
    """Waits for the warden to close the pipe, or to die. This thread ends with its process."""
    while told.read(4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_GRACE_S)
    sys.stderr.write("the run does not end; it is killed\n")
    os.kill(os.getpid(), signal.SIGKILL)
