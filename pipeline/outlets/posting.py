"""One web address that is posted to, over a connection that is kept open, within a time that is limited as a whole."""

from __future__ import annotations

import hmac
import socket
import ssl
import threading
import time
from contextlib import suppress
from hashlib import sha256
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from urllib.parse import urlsplit

from pipeline.outlets.outlet import Away

_LONGEST_ANSWER = 1 << 16


class Posting:
    """The address may have a key in it, so nothing that this says contains more of it than the host."""

    def __init__(self, url: str, timeout_s: float) -> None:
        at = urlsplit(url)
        self.host = at.hostname or ""
        self._timeout_s = timeout_s
        self._target = (at.path or "/") + (f"?{at.query}" if at.query else "")
        self._connection = _connection(url, timeout_s)
        self._fresh = True

    def post(self, body: bytes, headers: dict[str, str]) -> int:
        """The status of the answer; Away when there is none.

        A connection that was kept open may have been closed at the other end meanwhile: then once more.
        """
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

    def close(self) -> None:
        self._connection.close()
        self._fresh = True

    def _exchange(self, body: bytes, headers: dict[str, str]) -> int:
        """The time is limited as a whole: a receiver that answers a byte now and then is no better than one that
        never does.
        """
        connection = self._connection
        if connection.sock is None:
            connection.connect()
        limit = threading.Timer(self._timeout_s, _cut, (connection.sock,))
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

    def _away(self, error: Exception) -> Away:
        said = error.strerror if isinstance(error, OSError) and error.strerror else str(error) or type(error).__name__
        return Away(f"{self.host} cannot be reached: {said}")


def signed_headers(secret: str | None, body: bytes) -> dict[str, str]:
    """When it was posted, and the proof that who posts knows the key."""
    now = str(int(time.time()))
    headers = {"User-Agent": "facewire", "X-Facewire-Timestamp": now}
    return headers if secret is None else {**headers, "X-Facewire-Signature": f"sha256={signature(secret, now, body)}"}


def signature(secret: str, timestamp: str, body: bytes) -> str:
    return hmac.new(secret.encode(), timestamp.encode() + b"." + body, sha256).hexdigest()


def _connection(url: str, timeout_s: float) -> HTTPConnection:
    at = urlsplit(url)
    host = at.hostname or ""
    if at.scheme == "https":
        return HTTPSConnection(host, at.port, timeout=timeout_s, context=ssl.create_default_context())
    return HTTPConnection(host, at.port, timeout=timeout_s)


def _read_to_end(answer: HTTPResponse) -> bool:
    """Whether the connection can be used again; what is too long is not read."""
    answer.read(_LONGEST_ANSWER)
    return answer.isclosed() and not answer.will_close


def _cut(connected: socket.socket) -> None:
    with suppress(OSError):
        connected.shutdown(socket.SHUT_RDWR)
