"""A real run on a leash, whose events reach the fleet's store."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.fleet import one_camera
from app.fleet.collect import Collecting
from app.fleet.front import Front, Pages
from app.fleet.one_camera import Task
from app.fleet.roster import FleetCamera
from app.fleet.warden import ROOT
from pipeline.outlets.stored import Wanted
from tests.app.fleet.made_up import SECRET, TOKEN

RUN = "2026-01-31T12:00:00.000Z-aa"
PATIENCE_S = 120.0


class Heard:
    """The fleet's store, and when it has got events."""

    def __init__(self, folder: Path) -> None:
        self.collecting = Collecting(folder / "fleet")
        self.has_faces = threading.Event()
        self.front = Front("127.0.0.1", 0, Pages(self.take, dict, str, str), secret=SECRET, token=TOKEN)

    def take(self, body: bytes) -> int:
        new = self.collecting.take(body)
        if self.collecting.store.count(Wanted()):
            self.has_faces.set()
        return new

    def task(self, **chosen: str) -> Task:
        url = f"http://127.0.0.1:{self.front.port}/events"
        door = FleetCamera("The door", "demo", more='{"zone": [0, 0, 1, 1]}')
        return Task(door, RUN, {"CONSOLE_PORT": "0", "MIN_FACE": "60", **chosen}, url, SECRET)


@pytest.fixture
def heard(tmp_path: Path) -> Iterator[Heard]:
    made = Heard(tmp_path)
    yield made
    made.front.close()


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    data = tmp_path / "data"
    data.mkdir()
    for name in one_camera.SHARED:
        (data / name).symlink_to(ROOT / "data" / name)
    return data


def test_a_run_is_what_the_settings_say_with_its_own_name_and_folder(
    heard: Heard, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATA_DIR", str(data_dir))
    config = one_camera.plan_of(heard.task(EMBEDDING_ENGINE="dlib")).config
    own = one_camera.folder_of(data_dir, "The door")
    assert [camera.name for camera in config.cameras] == ["The door"]
    assert config.cameras[0].zone == ((0, 0), (1, 0), (1, 1), (0, 1))
    assert (config.engines.embedder, config.engines.min_face_px) == ("dlib", 60)
    assert config.gallery.path == own / "gallery"
    assert config.output.events == own / "events.jsonl"
    assert config.output.event_run == RUN
    assert config.outlets is not None
    assert config.outlets.collector is not None
    assert config.engines.models.resolve() == (data_dir / "models").resolve()
    assert SECRET not in repr(config)


def test_what_a_machine_has_set_for_itself_is_not_shared_by_its_cameras(
    heard: Heard, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = data_dir / "shared"
    files = {"EVENTS": "all.jsonl", "REPORT_FILE": "report.json", "TRACE_FILE": "trace.json"}
    for name, place in {"GALLERY_DIR": "people", "RECORD": "films.mp4", "CLIPS": "clips", **files}.items():
        monkeypatch.setenv(name, str(shared / place))
    monkeypatch.setenv("DATA_DIR", str(data_dir))
    plan = one_camera.plan_of(heard.task())
    own, output = one_camera.folder_of(data_dir, "The door"), plan.config.output
    assert plan.config.gallery.path == own / "gallery"
    assert output.events == own / "events.jsonl"
    assert output.record is None
    assert output.recordings is not None and output.recordings.folder == own / "recordings"
    assert output.clips is not None and output.clips.folder == own / "clips"
    assert (plan.report, plan.trace) == (own / "report.json", own / "trace.json")
    assert not shared.exists()


def test_cameras_whose_names_differ_have_folders_that_differ(tmp_path: Path) -> None:
    names = ("Yard 2", "Yard_2", "Yard/2", "door")
    assert len({one_camera.folder_of(tmp_path, name) for name in names}) == 4
    assert one_camera.folder_of(tmp_path, "door").name == "door"


def test_a_task_survives_its_way_and_hides_its_secrets() -> None:
    task = Task(
        FleetCamera("door", "rtsp://me:hidden@host/x"), RUN, {"QDRANT_API_KEY": "hidden"}, "http://h/events", "hidden"
    )
    assert Task.of_line(task.as_line()) == task
    assert "hidden" not in repr(task)


@pytest.mark.skipif(not (ROOT / "data" / "models" / "sface_int8.onnx").is_file(), reason="needs the models")
def test_a_run_tells_the_fleet_and_ends_in_order_when_its_leash_is_cut(heard: Heard, data_dir: Path) -> None:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "LD_LIBRARY_PATH") if name in os.environ}
    run = subprocess.Popen(
        [sys.executable, "-m", "app.fleet.leashed"],
        cwd=ROOT,
        env={**kept, "DATA_DIR": str(data_dir)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert run.stdin is not None
    task = heard.task(FPS_TARGET="10", FRAME_SIZE="640x360", PLACEMENT="fused", STOP_TIMEOUT="30")
    run.stdin.write(task.as_line().encode())
    run.stdin.flush()
    assert heard.has_faces.wait(PATIENCE_S)
    said, _ = run.communicate(timeout=PATIENCE_S)  # closes its input
    assert run.returncode == 0, said.decode()
    log = one_camera.folder_of(data_dir, "The door") / "events.jsonl"
    written = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    stored = [event.body for event in heard.collecting.store.all(Wanted(kind=None))]
    assert [{key: value for key, value in body.items() if key != "uid"} for body in stored] == written
    assert {body["run"] for body in stored} == {RUN}
    assert stored[-1]["type"] == "end"
