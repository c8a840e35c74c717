"""What the cameras of one machine keep of somebody is erased; what they keep of others stays."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace
from uuid import uuid4

import pytest

import app.fleet
from app.fleet import commands
from app.fleet.barred import Barred, checksum
from app.fleet.forgetting import Forgotten, at_machine, forget_barred, forget_here
from app.fleet.one_camera import folder_of
from checkpoints.sealed import UNSEALED, Seal, keys_of, new_key
from pipeline.event_log import EventLog
from pipeline.gallery.sightings import Sighting, Sightings
from pipeline.outlets.reception import Reception
from pipeline.outlets.store import Store
from pipeline.outlets.stored import Wanted
from tests.app.fleet.made_up import face


def kept(data_dir: Path, camera: str, seal: Seal) -> Path:
    """Ann's face before it had a name (track 7) and with it (track 8), and Bob's."""
    folder = folder_of(data_dir, camera)
    log = EventLog(folder / "events.jsonl", run="2026-01-31T12:00:00.000Z-aa")
    for event in (face(1, camera=camera, track=7), face(2, camera=camera, track=8, name="Ann"), _bob(camera)):
        log.append({key: value for key, value in event.items() if key not in ("run", "uid")})
    log.close()
    Reception(Store(folder / "events"), folder / "events.jsonl").take_all()
    (folder / "gallery").mkdir()
    book = Sightings(folder / "gallery", seal)
    for name, track in (("Ann", 7), ("Bob", 9)):
        moment = "2026-01-31T12:00:05.000Z"
        book.tell(Sighting(str(uuid4()), "u12345", camera, f"{camera}/1/{track}", moment, moment, name))
    return folder


def _bob(camera: str) -> dict[str, object]:
    return face(3, camera=camera, track=9, name="Bob")


@pytest.mark.parametrize("seal", [UNSEALED, Seal(keys_of(new_key()))], ids=["open", "sealed"])
def test_all_cameras_of_a_machine_forget(tmp_path: Path, seal: Seal) -> None:
    folders = [kept(tmp_path, camera, seal) for camera in ("door", "The yard")]
    forgotten = forget_here(tmp_path, "Ann", seal)
    assert (forgotten.events, forgotten.sightings) == (4, 2)
    assert [(one.camera, one.track) for one in forgotten.seen] == [("The yard", 7), ("door", 7)]
    for folder in folders:
        lines = (folder / "events.jsonl").read_text(encoding="utf-8").splitlines()
        assert [json.loads(line)["name"] for line in lines] == ["Bob"]
        assert [event.body["name"] for event in Store(folder / "events").all(Wanted())] == ["Bob"]
        assert [one.name for one in Sightings(folder / "gallery", seal).all()] == ["Bob"]
    assert forget_here(tmp_path, "Ann", seal).events == 0


def test_a_machine_without_cameras_has_nothing_to_forget(tmp_path: Path) -> None:
    assert forget_here(tmp_path, "Ann", UNSEALED).events == 0


def test_a_camera_whose_folder_is_damaged_keeps_no_other_from_forgetting(tmp_path: Path) -> None:
    kept(tmp_path, "door", UNSEALED)
    (kept(tmp_path, "attic", UNSEALED) / "events" / "events.sqlite").write_bytes(b"damaged" * 1000)
    forgotten = forget_here(tmp_path, "Ann", UNSEALED)
    assert (forgotten.events, forgotten.sightings) == (2, 1)
    (missed,) = forgotten.missed
    assert missed.startswith("attic: The store of events cannot be used.")
    assert at_machine(forgotten, "10.0.0.1").missed == (f"10.0.0.1: {missed}",)


@pytest.mark.parametrize("seal", [UNSEALED, Seal(keys_of(new_key()))], ids=["open", "sealed"])
def test_a_machine_that_was_away_finds_out_by_itself_who_was_meant(tmp_path: Path, seal: Seal) -> None:
    folder = kept(tmp_path, "door", seal)
    barred = [Barred(checksum("Ann"), "2026-01-31T12:00:10.000Z"), Barred(checksum("Eve"), "2026-01-31T12:00:10.000Z")]
    assert forget_barred(tmp_path, barred, seal).events == 2
    assert "Ann" not in (folder / "events.jsonl").read_text(encoding="utf-8")
    assert [one.name for one in Sightings(folder / "gallery", seal).all()] == ["Bob"]
    assert b"Ann" not in (tmp_path / "fleet" / "forgotten.json").read_bytes()
    shutil.rmtree(folder)
    kept(tmp_path, "door", seal)  # somebody who was given the name anew
    assert forget_barred(tmp_path, barred, seal).events == 0
    assert forget_barred(tmp_path, [Barred(checksum("Ann"), "2026-02-01T12:00:10.000Z")], seal).events == 2


def test_who_is_only_compared_with_is_forgotten_too(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, "door")
    log = EventLog(folder / "events.jsonl", run="2026-01-31T12:00:00.000Z-aa")
    why = {"runner_up": "Ann", "shots": [{"frame": 3, "nearest": [["Bob", 0.8], ["Ann", 0.4]]}]}
    log.append({**_bob("door"), "why": why})
    log.close()
    (folder / "gallery").mkdir()
    assert forget_barred(tmp_path, [Barred(checksum("Ann"), "2026-01-31T12:00:10.000Z")], UNSEALED).missed == ()
    told = json.loads((folder / "events.jsonl").read_text(encoding="utf-8"))
    assert told["why"] == {"runner_up": None, "shots": [{"frame": 3, "nearest": [["Bob", 0.8]]}]}


def test_what_may_still_be_told_is_looked_for_again(tmp_path: Path) -> None:
    barred = [Barred(checksum("Ann"), "2999-01-31T12:00:10.000Z")]
    kept(tmp_path, "door", UNSEALED)
    assert forget_barred(tmp_path, barred, UNSEALED).events == 2
    kept(tmp_path, "yard", UNSEALED)
    assert forget_barred(tmp_path, barred, UNSEALED).events == 2


@pytest.mark.parametrize("missed", [(), ("10.0.0.3: away since 2026-01-31T12:00:00.000Z",)])
def test_the_command_names_machines_that_may_still_know_somebody(
    missed: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    control = SimpleNamespace(forget=SimpleNamespace(remote=lambda name: Forgotten(3, 1, (), missed)))
    fake = SimpleNamespace(control=lambda: control, ask=lambda answer, timeout_s: answer)
    for name, module in (("cluster", fake), ("chores", SimpleNamespace(FORGET_S=1.0))):
        monkeypatch.setitem(sys.modules, f"app.fleet.{name}", module)  # type: ignore[arg-type]
        monkeypatch.setattr(app.fleet, name, module, raising=False)
    code = commands._forget(argparse.Namespace(name="Ann", yes=True))
    said = capsys.readouterr().out
    assert code == (1 if missed else 0)
    assert said.startswith("Ann is forgotten, but not everywhere; " if missed else "Ann is forgotten; erased: 3 events")
    assert all(f"not yet: {one}\n" in said for one in missed)
