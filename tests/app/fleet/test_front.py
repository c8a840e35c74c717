"""Cameras post events to the fleet's front over real HTTP, through the outlet that they have for it."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from app.fleet.collect import Collecting
from app.fleet.front import Front, Pages
from checkpoints.errors import OutputError
from pipeline.config import CollectorConfig
from pipeline.event_log import EventLog
from pipeline.outlets.collector import Collector
from pipeline.outlets.courier import Courier
from pipeline.outlets.ledger import Ledger
from pipeline.outlets.outlet import Away
from pipeline.outlets.posting import signed_headers
from pipeline.outlets.reception import Reception
from pipeline.outlets.store import Store
from pipeline.outlets.stored import Wanted
from tests.app.fleet.made_up import SECRET, TOKEN, face, lines

RUN = "2026-01-31T12:00:00.000Z-aa"


class Fleet:
    """A store with its front."""

    def __init__(self, folder: Path) -> None:
        self.collecting = Collecting(folder / "fleet")
        self.take: Callable[[bytes], int] = self.collecting.take
        self.port = 0
        self.open()

    def open(self) -> None:
        pages = Pages(lambda body: self.take(body), lambda: {"cameras": []}, lambda: "facewire_x 1\n", lambda: "<p>Hi")
        self._front = Front("127.0.0.1", self.port, pages, secret=SECRET, token=TOKEN)
        self.port = self._front.port

    def close(self) -> None:
        self._front.close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/events"

    def frames(self) -> list[int]:
        return [event.body["frame"] for event in self.collecting.store.all(Wanted())]

    def ask(self, path: str, authorization: str | None = None) -> tuple[int, str, dict[str, str]]:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request("GET", path, headers={} if authorization is None else {"Authorization": authorization})
        answer = connection.getresponse()
        found = answer.status, answer.read().decode(), dict(answer.headers)
        connection.close()
        return found

    def post(self, body: bytes, headers: dict[str, str], path: str = "/events") -> int:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request("POST", path, body, headers)
        status = connection.getresponse().status
        connection.close()
        return status


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    made = Fleet(tmp_path)
    yield made
    made.close()


class Machine:
    """One camera's own file, store and courier."""

    def __init__(self, folder: Path, url: str, secret: str = SECRET) -> None:
        self._log = EventLog(folder / "e.jsonl", run=RUN)
        self.store = Store(folder / "events")
        self._reception = Reception(self.store, folder / "e.jsonl")
        self.said: list[str] = []
        ledger = Ledger(self.store.database, "collector", is_told_all=True)
        config = CollectorConfig(url, secret)
        self.courier = Courier(
            "collector", lambda: Collector(config), ledger, say=self.said.append, complain=lambda _: None
        )

    def write(self, *events: dict[str, Any]) -> None:
        for event in events:
            self._log.append({key: value for key, value in event.items() if key not in ("run", "uid")})
        self._reception.take_all()

    def tell(self) -> None:
        """All that waits, once."""
        self.courier.start()
        self.courier.end()
        self.courier.join(30.0)
        self.courier.check()
        self._log.close()


def test_also_what_was_before_the_outlet_is_told_once_and_marked_with_its_run(fleet: Fleet, tmp_path: Path) -> None:
    machine = Machine(tmp_path, fleet.url)
    machine.write(*(face(frame) for frame in range(500)))
    machine.tell()
    assert fleet.frames() == list(range(500))
    (first,) = fleet.collecting.store.events(Wanted(), limit=1, newest_first=False)
    assert first.body["run"] == RUN
    assert first.key == first.body["uid"] == f"{RUN}/door/0/1@{first.body['t']}"
    assert machine.store.deliveries()[0].delivered == 500


def test_what_was_told_but_not_noted_is_told_again_and_kept_once(fleet: Fleet, tmp_path: Path) -> None:
    machine = Machine(tmp_path, fleet.url)
    machine.write(face(1), face(2))
    outlet = Collector(CollectorConfig(fleet.url, SECRET))
    waiting = Ledger(machine.store.database, "other", is_told_all=True)
    waiting.begin()
    outlet.tell(waiting.waiting(10))
    outlet.close()
    machine.tell()
    assert fleet.frames() == [1, 2]
    assert fleet.collecting.counts.again == 2


def test_a_store_that_is_away_is_waited_for(fleet: Fleet, tmp_path: Path) -> None:
    fleet.close()
    machine = Machine(tmp_path, fleet.url)
    machine.write(face(1))
    machine.tell()
    assert "cannot be reached" in machine.said[0]
    fleet.open()
    again = Machine(tmp_path, fleet.url)
    again.tell()
    assert fleet.frames() == [1]


def test_a_disk_that_is_full_loses_nothing(fleet: Fleet, tmp_path: Path) -> None:
    def full(_: bytes) -> int:
        raise OutputError("The disk is full.")

    fleet.take = full
    outlet = Collector(CollectorConfig(fleet.url, SECRET))
    machine = Machine(tmp_path, fleet.url)
    machine.write(face(1))
    with pytest.raises(Away, match="503"):
        outlet.tell(machine.store.events(Wanted()))
    outlet.close()
    fleet.take = fleet.collecting.take
    machine.tell()
    assert fleet.frames() == [1]


def test_nobody_without_the_key_can_put_events_in(fleet: Fleet) -> None:
    body = lines(face(1))
    assert fleet.post(body, signed_headers(None, body)) == 401
    assert fleet.post(body, signed_headers("another key", body)) == 401
    old = {**signed_headers(SECRET, body), "X-Facewire-Timestamp": "1"}
    assert fleet.post(body, old) == 401
    assert fleet.post(body, signed_headers(SECRET, body), "/elsewhere") == 404
    assert fleet.post(b"", {"Content-Length": str(1 << 30)}) == 413
    assert fleet.frames() == []
    assert fleet.post(body, signed_headers(SECRET, body)) == 200


def test_only_who_has_the_token_may_look(fleet: Fleet) -> None:
    basic = base64.b64encode(f"anybody:{TOKEN}".encode()).decode()
    for wrong in (None, "Bearer nothing", "Basic bm9ib2R5OndpdGg=", "Basic %", f"Digest {TOKEN}"):
        status, body, headers = fleet.ask("/", wrong)
        assert (status, headers["WWW-Authenticate"]) == (401, 'Basic realm="fleet"')
        assert "Hi" not in body
    assert fleet.ask("/", f"Basic {basic}")[:2] == (200, "<p>Hi")
    assert fleet.ask("/metrics", f"Bearer {TOKEN}")[1] == "facewire_x 1\n"
    assert json.loads(fleet.ask("/api/fleet", f"Bearer {TOKEN}")[1]) == {"cameras": []}
    assert fleet.ask("/no", f"Bearer {TOKEN}")[0] == 404
    assert fleet.ask("/healthz")[:2] == (200, "ok\n")


def test_a_port_that_is_taken_is_told(fleet: Fleet) -> None:
    with pytest.raises(OutputError, match="FLEET_PORT"):
        Front("127.0.0.1", fleet.port, Pages(len, dict, str, str), secret=SECRET, token=TOKEN)
