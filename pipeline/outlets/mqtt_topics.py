"""Which message an event is, and what Home Assistant is told of the cameras.

TOPIC/status                online, or offline when this program is gone (kept by the broker)
TOPIC/events/KIND[/CAMERA]  every event as JSON
TOPIC/cameras/CAMERA/face   the last face: name, state, score … (kept by the broker)
TOPIC/cameras/CAMERA/state  up, lost or reconnecting (kept by the broker)
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from pipeline.outlets.stored import StoredEvent

ONLINE, OFFLINE = b"online", b"offline"
_OF_A_FACE = ("name", "state", "score", "t", "track", "id")


@dataclass(frozen=True, slots=True)
class Message:
    """is_kept  the broker tells it to whoever comes later; an empty one is forgotten"""

    topic: str
    payload: bytes
    is_kept: bool = False


class Topics:
    def __init__(self, first: str) -> None:
        self._first = first

    @property
    def status(self) -> str:
        return f"{self._first}/status"

    def of_event(self, event: StoredEvent) -> list[Message]:
        body = event.body
        camera = body.get("camera")
        levels = [self._first, "events", word(str(body["type"]))]
        if isinstance(camera, str):
            levels.append(word(camera))
        told = Message("/".join(levels), _packed({**body, "uid": event.key}))
        return [told] if not isinstance(camera, str) else [told, *self._kept(body, camera)]

    def latest(self, camera: str, face: StoredEvent | None) -> Message:
        """What the broker is to keep of a camera: nothing when there is no such event, or no more."""
        payload = b"" if face is None else _packed({name: face.body.get(name) for name in _OF_A_FACE})
        return Message(self.face(camera), payload, is_kept=True)

    def face(self, camera: str) -> str:
        return f"{self._first}/cameras/{word(camera)}/face"

    def state(self, camera: str) -> str:
        return f"{self._first}/cameras/{word(camera)}/state"

    def faces(self, camera: str) -> str:
        return f"{self._first}/events/identity/{word(camera)}"

    def _kept(self, body: Mapping[str, Any], camera: str) -> list[Message]:
        if body["type"] == "identity":
            return [Message(self.face(camera), _packed({name: body.get(name) for name in _OF_A_FACE}), is_kept=True)]
        if body["type"] == "camera":
            return [Message(self.state(camera), str(body.get("state")).encode(), is_kept=True)]
        return []


def discovery(topics: Topics, first: str, at: str, cameras: Sequence[str]) -> list[Message]:
    """Messages by which Home Assistant finds three things of each camera, all of one device."""
    node = word(first)
    device = {"identifiers": [node], "name": "Facewire", "manufacturer": "Facewire", "model": first}
    found: list[Message] = []
    for camera in cameras:
        last_face = {
            "name": f"{camera} face",
            "state_topic": topics.face(camera),
            "value_template": "{{ value_json.name or value_json.state }}",
            "json_attributes_topic": topics.face(camera),
            "icon": "mdi:face-recognition",
        }
        seen = {
            "name": f"{camera} seen",
            "state_topic": topics.faces(camera),
            "event_types": ["known", "unknown", "undecided"],
            "value_template": "{{ {'event_type': value_json.state, 'person': value_json.name} | tojson }}",
        }
        state = {
            "name": f"{camera} camera",
            "state_topic": topics.state(camera),
            "device_class": "connectivity",
            "value_template": "{{ 'ON' if value == 'up' else 'OFF' }}",
        }
        for kind, thing, about in (
            ("sensor", "face", last_face),
            ("event", "seen", seen),
            ("binary_sensor", "camera", state),
        ):
            one = f"{node}_{word(camera)}_{thing}"
            told = {**about, "unique_id": one, "availability_topic": topics.status, "device": device}
            found.append(Message(f"{at}/{kind}/{node}/{word(camera)}_{thing}/config", _packed(told), is_kept=True))
    return found


def word(text: str) -> str:
    """One level of a topic; different texts are different words."""
    plain = re.sub(r"[^A-Za-z0-9_-]", "_", text)
    return plain if plain == text else f"{plain}_{sha256(text.encode()).hexdigest()[:6]}"


def _packed(told: Mapping[str, Any]) -> bytes:
    return json.dumps(told, ensure_ascii=False).encode()
