"""Events told to a real mosquitto, which goes and comes back."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.config import MqttConfig
from pipeline.outlets.mqtt import Mqtt
from pipeline.outlets.mqtt_topics import Topics, discovery, word
from pipeline.outlets.stored import Wanted
from tests.pipeline.outlets.broker import MOSQUITTO, Broker, Listener
from tests.pipeline.outlets.conftest import Desk, told

pytestmark = pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed")


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    made = Broker(tmp_path, persistent=True)
    made.start()
    yield made
    made.stop()


@pytest.fixture
def listener(broker: Broker) -> Iterator[Listener]:
    made = Listener(broker.port, name="listener")
    yield made
    made.close()


def mqtt(desk: Desk, broker: Broker, **more: Any) -> Mqtt:
    config = MqttConfig("127.0.0.1", broker.port, **more)
    return Mqtt(config, ["door"], lambda camera: next(iter(desk.store.events(Wanted(camera=camera), limit=1)), None))


def test_every_event_is_told_once_and_in_order(desk: Desk, broker: Broker, listener: Listener) -> None:
    desk.tell(lambda: mqtt(desk, broker))
    desk.write(*(told(frame, name="Zoë") for frame in range(200)))
    desk.write({"type": "stage", "stage": "detect", "state": "restarted", "t": "2026-01-31T12:00:00.000Z"})
    listener.until(lambda: len(listener.events()) == 201)
    desk.end()
    assert listener.frames() == list(range(200))
    assert listener.events()[0]["name"] == "Zoë"
    assert {topic for topic, _, _ in listener.heard if "/events/" in topic} == {
        "facewire/events/identity/door",
        "facewire/events/stage",
    }
    assert (desk.delivery().delivered, desk.delivery().waiting) == (201, 0)


def test_the_broker_keeps_the_last_face_and_the_state_of_a_camera(desk: Desk, broker: Broker) -> None:
    desk.tell(lambda: mqtt(desk, broker))
    lost = {"type": "camera", "camera": "door", "state": "lost", "t": "2026-01-31T12:00:00.000Z"}
    desk.write(told(1, name="Ann"), told(2, name="Bob"), lost)
    while desk.delivery().delivered < 3:
        threading.Event().wait(0.01)
    later = Listener(broker.port)
    later.until(lambda: len(later.heard) >= 6)
    face = json.loads(later.last("facewire/cameras/door/face") or b"")
    assert (face["name"], face["state"]) == ("Bob", "known")
    assert later.last("facewire/cameras/door/state") == b"lost"
    assert later.last("facewire/status") == b"online"
    assert later.events() == [], "what has happened is not told to whoever comes later"
    later.close()


def test_the_broker_says_that_this_program_has_ended(desk: Desk, broker: Broker, listener: Listener) -> None:
    desk.tell(lambda: mqtt(desk, broker))
    listener.until(lambda: listener.last("facewire/status") == b"online")
    desk.end()
    listener.until(lambda: listener.last("facewire/status") == b"offline")


def test_a_broker_that_is_down_at_the_start_is_waited_for(desk: Desk, broker: Broker) -> None:
    broker.stop()
    desk.tell(lambda: mqtt(desk, broker))
    desk.write(told(1), told(2))
    while desk.delivery().state != "away":
        threading.Event().wait(0.01)
    assert "refused" in desk.delivery().said
    broker.start()
    while desk.delivery().delivered < 2:
        threading.Event().wait(0.01)
    assert desk.said[-1].endswith("there again")


@pytest.mark.parametrize("kill", [False, True])
def test_nothing_is_lost_when_the_broker_is_restarted(
    desk: Desk, broker: Broker, listener: Listener, kill: bool
) -> None:
    desk.tell(lambda: mqtt(desk, broker))
    desk.write(*(told(frame) for frame in range(50)))
    listener.until(lambda: len(listener.frames()) >= 50)
    broker.stop(kill=kill)
    desk.write(*(told(frame) for frame in range(50, 100)))
    while desk.delivery().state != "away":
        threading.Event().wait(0.01)
    broker.start()
    listener.until(lambda: bool(listener.frames()) and listener.frames()[-1] == 99)
    first_times = list(dict.fromkeys(listener.frames()))
    assert first_times == list(range(100)), "each at least once, and in order"


def test_a_wrong_password_is_said_and_tried_again(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir()
    closed = Broker(tmp_path / "closed", settings="allow_anonymous false")
    closed.start()
    desk.tell(lambda: mqtt(desk, closed, user="me", password="hidden"))
    desk.write(told(1))
    while desk.delivery().state != "away":
        threading.Event().wait(0.01)
    closed.stop()
    assert "does not let this program in" in desk.said[0]
    assert "hidden" not in " ".join(desk.said)


def test_home_assistant_finds_the_cameras(desk: Desk, broker: Broker, listener: Listener) -> None:
    desk.tell(lambda: mqtt(desk, broker, topic="home/faces"))
    listener.until(lambda: listener.last("home/faces/status") == b"online")
    found = {topic: json.loads(payload) for topic, payload, _ in listener.heard if topic.startswith("homeassistant/")}
    assert [topic.split("/")[1] for topic in found] == ["sensor", "event", "binary_sensor"]
    for topic, about in found.items():
        assert topic.endswith("/config")
        assert about["availability_topic"] == "home/faces/status"
        assert about["device"]["identifiers"]
    sensor, event, camera = found.values()
    assert sensor["state_topic"] == sensor["json_attributes_topic"] == "home/faces/cameras/door/face"
    assert event["state_topic"] == "home/faces/events/identity/door"
    assert camera["state_topic"] == "home/faces/cameras/door/state"
    assert len({about["unique_id"] for about in found.values()}) == 3


def test_home_assistant_is_told_nothing_if_it_is_not_wished(desk: Desk, broker: Broker, listener: Listener) -> None:
    desk.tell(lambda: mqtt(desk, broker, discovery=None))
    listener.until(lambda: listener.last("facewire/status") == b"online")
    assert not any(topic.startswith("homeassistant/") for topic, _, _ in listener.heard)


@pytest.mark.parametrize("name", ["a/b", "a+b", "#", "Küche", "a b", ""])
def test_a_camera_of_any_name_is_one_level_of_a_topic(name: str) -> None:
    assert word(name) != word(name.replace("/", "_").replace("+", "_") + "x")
    assert not set(word(name)) & set("/+# ")
    assert word(name).isascii()
    topics = Topics("facewire")
    assert all(message.topic.count("/") == 4 for message in discovery(topics, "facewire", "homeassistant", [name]))
