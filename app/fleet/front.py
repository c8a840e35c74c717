"""Where the fleet is reached: cameras post their events here, people and Prometheus look.

Only reading is offered; to change something takes a command on one of the machines.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from checkpoints.errors import OutputError
from pipeline.outlets.posting import signature

MOST_BYTES = 8 << 20
_FRESH_S = 300.0
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src http:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_IDLE_S = 30.0  # a connection that is not used for so long is closed; its camera opens another


@dataclass(frozen=True, slots=True)
class Pages:
    """take  events that were posted; the others answer with what they return

    trouble  of the fleet's control; empty: none
    """

    take: Callable[[bytes], int]
    status: Callable[[], object]
    metrics: Callable[[], str]
    page: Callable[[], str]
    trouble: Callable[[], str] = str


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: str = ""
    kind: str = "text/plain; charset=utf-8"
    headers: dict[str, str] = field(default_factory=dict)


class Front:
    """secret  that posted events are signed with; token  of those who look"""

    def __init__(self, host: str, port: int, pages: Pages, *, secret: str, token: str) -> None:
        self._pages = pages
        self._secret = secret
        self._token = token
        front = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            server_version = "facewire"
            sys_version = ""
            timeout = _IDLE_S

            def do_POST(self) -> None:
                front.posted(self)

            def do_GET(self) -> None:
                _send(self, front.asked(self.path.partition("?")[0], self.headers.get("Authorization", "")))

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Not to the terminal: /metrics tells what is worth knowing."""

        try:
            self._server = ThreadingHTTPServer((host, port), Handler)
        except OSError as error:
            raise OutputError(
                "The fleet's store cannot listen at this address.",
                saw=f"{host}:{port}: {error.strerror}",
                fix="set FLEET_PORT to a port that is free on this machine",
            ) from error
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, name="front", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def posted(self, request: BaseHTTPRequestHandler) -> None:
        said = request.headers.get("Content-Length", "")
        if request.path != "/events" or not said.isdecimal() or int(said) > MOST_BYTES:
            request.close_connection = True  # what it has sent is not read
            _send(request, Answer(404 if request.path != "/events" else 413))
            return
        body = request.rfile.read(int(said))
        if not self._is_signed(body, request):
            _send(request, Answer(401, "The signature is not valid.\n"))
            return
        try:
            new = self._pages.take(body)
        except OutputError as error:  # a full disk may have room again: the camera posts it once more
            _send(request, Answer(503, f"{error.what}\n"))
            return
        _send(request, Answer(200, json.dumps({"new": new}) + "\n", "application/json"))

    def asked(self, path: str, authorization: str) -> Answer:
        if path == "/healthz":
            is_well = not self._pages.trouble()
            return Answer(200, "ok\n") if is_well else Answer(503, "The control is in trouble; see fleet status.\n")
        if not self._is_known(authorization):
            return Answer(401, "A token is needed.\n", headers={"WWW-Authenticate": 'Basic realm="fleet"'})
        if path == "/metrics":
            return Answer(200, self._pages.metrics(), "text/plain; version=0.0.4; charset=utf-8")
        if path == "/api/fleet":
            return Answer(200, json.dumps(self._pages.status(), indent=1) + "\n", "application/json")
        if path == "/":
            return Answer(200, self._pages.page(), "text/html; charset=utf-8")
        return Answer(404, "There is no such page.\n")

    def _is_signed(self, body: bytes, request: BaseHTTPRequestHandler) -> bool:
        moment = request.headers.get("X-Facewire-Timestamp", "")
        if not moment.isdecimal() or abs(time.time() - int(moment)) > _FRESH_S:
            return False
        wanted = f"sha256={signature(self._secret, moment, body)}"
        return hmac.compare_digest(request.headers.get("X-Facewire-Signature", "").encode(), wanted.encode())

    def _is_known(self, authorization: str) -> bool:
        """A program's token, or a person's password, whatever the name."""
        kind, _, said = authorization.partition(" ")
        if kind.lower() == "basic":
            said = _password(said)
        elif kind.lower() != "bearer":
            return False
        return hmac.compare_digest(said.strip().encode(), self._token.encode())


def _password(encoded: str) -> str:
    try:
        return base64.b64decode(encoded, validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return ""


def _send(request: BaseHTTPRequestHandler, answer: Answer) -> None:
    body = answer.body.encode()
    request.send_response(answer.status)
    for name, value in {**_HEADERS, **answer.headers}.items():
        request.send_header(name, value)
    request.send_header("Content-Type", answer.kind)
    request.send_header("Content-Length", str(len(body)))
    request.end_headers()
    request.wfile.write(body)
