"""One connection to an MQTT broker, from its beginning to its end; a new one is made when it is lost.

The library's own reconnecting is not used: what it had in its memory would be told even after it was erased.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from uuid import uuid4

from paho.mqtt.client import Client, MQTTv311
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

from pipeline.config import MqttConfig
from pipeline.outlets.mqtt_topics import Message
from pipeline.outlets.outlet import Away

_KEEP_ALIVE_S = 30
_ANSWER_S = 10.0
_FAREWELL_S = 1.0


class Session:
    """Connected when it is made; raises Away whenever it cannot go on."""

    def __init__(self, config: MqttConfig, will: Message) -> None:
        self._at = f"{config.host}:{config.port}"
        self._changed = threading.Condition()
        self._answer: str | None = None
        self._lost: str | None = None
        self._acked: set[int] = set()
        self._client = self._make_client(config, will)
        try:
            self._client.connect(config.host, config.port, keepalive=_KEEP_ALIVE_S)
        except (OSError, ValueError) as error:
            said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            raise Away(f"the broker at {self._at} cannot be reached: {said}") from error
        self._client.loop_start()
        try:
            self._wait(lambda: self._answer is not None, _ANSWER_S)
            if self._answer:
                raise Away(f"the broker at {self._at} does not let this program in: {self._answer}")
        except Away:
            self.abandon()
            raise

    @property
    def is_lost(self) -> bool:
        return self._lost is not None

    def publish(self, messages: Sequence[Message], patience_s: float = _ANSWER_S) -> None:
        """Returns when the broker has all of them."""
        told = {self._client.publish(one.topic, one.payload, qos=1, retain=one.is_kept).mid for one in messages}
        self._wait(lambda: told <= self._acked, patience_s)
        self._acked -= told

    def close(self, farewell: Message) -> None:
        """The broker tells others the farewell, as it would tell them the will."""
        try:
            if not self.is_lost:
                self.publish([farewell], _FAREWELL_S)
        except Away:
            pass  # then the will says it
        self._client.disconnect()
        self._client.loop_stop()

    def abandon(self) -> None:
        """Without a word, so that the broker tells others the will."""
        self._client.loop_stop()
        connected = self._client.socket()
        if connected is not None:
            connected.close()

    def _make_client(self, config: MqttConfig, will: Message) -> Client:
        client = Client(
            CallbackAPIVersion.VERSION2, f"facewire-{uuid4().hex[:12]}", protocol=MQTTv311, reconnect_on_failure=False
        )
        client.connect_timeout = _ANSWER_S
        if config.user is not None:
            client.username_pw_set(config.user, config.password)
        if config.encrypted:
            client.tls_set(ca_certs=None if config.ca_file is None else str(config.ca_file))
        client.will_set(will.topic, will.payload, qos=1, retain=will.is_kept)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_publish = self._on_publish
        return client

    def _wait(self, is_done: Callable[[], bool], patience_s: float) -> None:
        with self._changed:
            self._changed.wait_for(lambda: is_done() or self.is_lost, patience_s)
            if is_done():
                return
        raise Away(f"the broker at {self._at} {self._lost or 'does not answer'}")

    # -- called by the library's thread --

    def _on_connect(self, _client: Client, _data: object, _flags: object, reason: ReasonCode, _more: object) -> None:
        with self._changed:
            self._answer = str(reason) if reason.is_failure else ""
            self._changed.notify_all()

    def _on_disconnect(self, _client: Client, _data: object, _flags: object, reason: ReasonCode, _more: object) -> None:
        with self._changed:
            self._lost = f"has gone ({reason})"
            self._changed.notify_all()

    def _on_publish(self, _client: Client, _data: object, number: int, _reason: object, _more: object) -> None:
        with self._changed:
            self._acked.add(number)
            self._changed.notify_all()
