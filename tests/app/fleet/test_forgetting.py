"""What the cameras of one machine keep of somebody is erased; what they keep of others stays."""

from __future__ import annotations

import json
from pathlib import Path
from uuid import uuid4

import pytest

from app.fleet.forgetting import forget_here
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
