"""Every event told to an MQTT broker, which says by itself that this program is gone when it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pipeline.config import MqttConfig
from pipeline.outlets.mqtt_session import Session
from pipeline.outlets.mqtt_topics import OFFLINE, ONLINE, Message, Topics, discovery
from pipeline.outlets.outlet import Away
from pipeline.outlets.stored import StoredEvent

LatestFace = Callable[[str], StoredEvent | None]


class Mqtt:
    """latest_face  of a camera: what the broker is to keep of it, said anew with each connection"""

    name = "mqtt"
    at_once = 20

    def __init__(self, config: MqttConfig, cameras: Sequence[str], latest_face: LatestFace) -> None:
        self._config = config
        self._cameras = cameras
        self._latest_face = latest_face
        self._topics = Topics(config.topic)
        self._session: Session | None = None

    def tell(self, events: Sequence[StoredEvent]) -> None:
        self._connect()
        self._publish([message for event in events for message in self._topics.of_event(event)])

    def tend(self) -> None:
        """The broker is to know that this program is there, also while nobody is seen."""
        self._connect()

    def close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            session.close(self._status(OFFLINE))

    def _connect(self) -> None:
        if self._session is not None and self._session.is_lost:
            self._abandon()
        if self._session is None:
            self._session = Session(self._config, self._status(OFFLINE))
            self._publish(self._introduction())

    def _publish(self, messages: Sequence[Message]) -> None:
        assert self._session is not None
        try:
            self._session.publish(messages)
        except Away:
            self._abandon()
            raise

    def _abandon(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            session.abandon()

    def _introduction(self) -> list[Message]:
        found = [self._topics.latest(camera, self._latest_face(camera)) for camera in self._cameras]
        if self._config.discovery is not None:
            found += discovery(self._topics, self._config.topic, self._config.discovery, self._cameras)
        return [*found, self._status(ONLINE)]

    def _status(self, payload: bytes) -> Message:
        return Message(self._topics.status, payload, is_kept=True)
