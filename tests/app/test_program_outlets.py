"""The whole program tells a web address what happens."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from checkpoints.portrait import PERSON
from pipeline.outlets.store import Store
from pipeline.outlets.stored import Wanted
from tests.pipeline.outlets.receiver import Receiver


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.stop()


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_every_event_of_the_demo_is_posted_once_and_has_a_picture(program: Any, receiver: Receiver) -> None:
    told = {"WEBHOOK_URL": receiver.url, "EVENT_EVERY": "0.5", "STOP_TIMEOUT": "30"}
    ended = program.run("--source", "demo", "--frames", 60, **told)
    assert ended.code == 0, ended.said
    assert "hidden" not in ended.said
    written = lines(program.data / "events.jsonl")
    posted = [{key: value for key, value in body.items() if key != "uid"} for _, body in receiver.received]
    assert posted == written
    assert written[-1]["type"] == "end"
    store = Store(program.data / "events")
    faces = list(store.all(Wanted()))
    assert PERSON in {event.body["name"] for event in faces}
    assert all(store.crop(event.id) for event in faces)


def test_a_person_that_is_deleted_is_gone_from_everything(program: Any, receiver: Receiver) -> None:
    """The receiver is away, so its events still wait."""
    receiver.stop()
    program.run("--source", "demo", "--frames", 60, WEBHOOK_URL=receiver.url)
    photograph = Path(__file__).resolve().parents[2] / "checkpoints" / "portrait.jpg"
    assert program.run("enroll", PERSON, photograph).code == 0
    ended = program.run("gallery", "delete", PERSON, "--yes")
    assert ended.code == 0, ended.said
    assert PERSON not in (program.data / "events.jsonl").read_text(encoding="utf-8")
    store = Store(program.data / "events")
    assert store.people() == []
    assert [event.body["type"] for event in store.all(Wanted(kind=None)) if event.body.get("name")] == []
    assert list(store.crops.files()) == []
    receiver.start()
    program.run("--source", "demo", "--frames", 2, WEBHOOK_URL=receiver.url, STOP_TIMEOUT="30")
    bodies = [body for _, body in receiver.received]
    ends = [n for n, body in enumerate(bodies) if body["type"] == "end"]
    assert len(ends) == 2, "what waited since the first run is told in the second"
    assert PERSON not in json.dumps(bodies[: ends[0]])
