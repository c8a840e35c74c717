"""Each event posted to a web address as JSON, one after the other, signed if there is a key.

X-Facewire-Delivery   the same for an event that is posted again
X-Facewire-Timestamp  seconds since 1970
X-Facewire-Signature  sha256=HEX of HMAC-SHA256(key, timestamp + "." + body)
"""

from __future__ import annotations

import hmac
import json
import socket
import ssl
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from hashlib import sha256
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from urllib.parse import urlsplit

from pipeline.config import WebhookConfig
from pipeline.outlets.outlet import Away, Refused
from pipeline.outlets.stored import StoredEvent

# What the receiver says of the event itself. All else may be put right at its side.
_NEVER = frozenset({400, 413, 415, 422})
_LONGEST_ANSWER = 1 << 16


class Webhook:
    """The address may have a key in it, so nothing that this says contains more of it than the host."""

    name = "webhook"
    at_once = 1

    def __init__(self, config: WebhookConfig) -> None:
        self._config = config
        at = urlsplit(config.url)
        self._host = at.hostname or ""
        self._target = (at.path or "/") + (f"?{at.query}" if at.query else "")
        self._connection = _connection(config)
        self._fresh = True

    def tell(self, events: Sequence[StoredEvent]) -> None:
        (event,) = events
        body = json.dumps({**event.body, "uid": event.key}, ensure_ascii=False).encode()
        status = self._post(body, self._headers(event, body))
        if status in _NEVER:
            raise Refused(f"{self._host} answers {status} to event {event.id}")
        if not 200 <= status < 300:
            raise Away(f"{self._host} answers {status}")

    def tend(self) -> None:
        """Nothing: who is there is known when there is something to tell."""

    def close(self) -> None:
        self._connection.close()
        self._fresh = True

    def _post(self, body: bytes, headers: dict[str, str]) -> int:
        """A connection that was kept open may have been closed at the other end meanwhile: then once more."""
        was_fresh = self._fresh
        try:
            return self._exchange(body, headers)
        except (ConnectionError, HTTPException) as error:
            self.close()
            if was_fresh:
                raise self._away(error) from error
        except OSError as error:
            self.close()
            raise self._away(error) from error
        try:
            return self._exchange(body, headers)
        except (OSError, HTTPException) as error:
            self.close()
            raise self._away(error) from error

    def _exchange(self, body: bytes, headers: dict[str, str]) -> int:
        """The time is limited as a whole: a receiver that answers a byte now and then is no better than one that
        never does.
        """
        connection = self._connection
        if connection.sock is None:
            connection.connect()
        limit = threading.Timer(self._config.timeout_s, _cut, (connection.sock,))
        limit.start()
        try:
            connection.request("POST", self._target, body, headers)
            answer = connection.getresponse()
            is_open = _read_to_end(answer)
        finally:
            limit.cancel()
        self._fresh = not is_open
        if not is_open:
            connection.close()
        return answer.status

    def _headers(self, event: StoredEvent, body: bytes) -> dict[str, str]:
        now = str(int(time.time()))
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "facewire",
            "X-Facewire-Delivery": sha256(event.key.encode()).hexdigest()[:32],
            "X-Facewire-Timestamp": now,
        }
        if self._config.secret is not None:
            headers["X-Facewire-Signature"] = f"sha256={signature(self._config.secret, now, body)}"
        return headers

    def _away(self, error: Exception) -> Away:
        said = error.strerror if isinstance(error, OSError) and error.strerror else str(error) or type(error).__name__
        return Away(f"{self._host} cannot be reached: {said}")


def signature(secret: str, timestamp: str, body: bytes) -> str:
    return hmac.new(secret.encode(), timestamp.encode() + b"." + body, sha256).hexdigest()


def _connection(config: WebhookConfig) -> HTTPConnection:
    at = urlsplit(config.url)
    host = at.hostname or ""
    if at.scheme == "https":
        context = ssl.create_default_context()
        return HTTPSConnection(host, at.port, timeout=config.timeout_s, context=context)
    return HTTPConnection(host, at.port, timeout=config.timeout_s)


def _read_to_end(answer: HTTPResponse) -> bool:
    """Whether the connection can be used again; what is too long is not read."""
    answer.read(_LONGEST_ANSWER)
    return answer.isclosed() and not answer.will_close


def _cut(connected: socket.socket) -> None:
    with suppress(OSError):
        connected.shutdown(socket.SHUT_RDWR)
