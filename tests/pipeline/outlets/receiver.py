"""A real HTTP server that is told of events, behaves as badly as it is told to, and can go and come back."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PATIENCE_S = 60.0


class Receiver:
    """answers  the statuses to be given, one after the other, then 200; None: no answer until it is let go

    received  headers and body of each event that was answered with 200
    """

    def __init__(self) -> None:
        self.answers: list[int | None] = []
        self.received: list[tuple[dict[str, str], dict[str, Any]]] = []
        self.asked = 0
        self.let_go = threading.Event()
        self._changed = threading.Condition()
        self._server: ThreadingHTTPServer | None = None
        self._connected: list[socket.socket] = []
        self.port = 0
        self.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook?key=hidden"

    @property
    def frames(self) -> list[int]:
        return [body["frame"] for _, body in self.received]

    def start(self) -> None:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                super().setup()
                receiver._connected.append(self.connection)

            def do_POST(self) -> None:
                receiver.take(self)

            def log_message(self, *_: object) -> None:
                pass

        ThreadingHTTPServer.allow_reuse_address = True
        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def stop(self) -> None:
        """As when its machine is switched off: connections that were kept open break, too."""
        self.let_go.set()
        server, self._server = self._server, None
        if server is not None:
            server.shutdown()
            server.server_close()
            for connected in self._connected:
                with suppress(OSError):
                    connected.shutdown(socket.SHUT_RDWR)
            self._connected.clear()

    def take(self, request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers["Content-Length"]))
        with self._changed:
            self.asked += 1
            status = self.answers.pop(0) if self.answers else 200
            self._changed.notify_all()
        if status is None:
            self.let_go.wait(PATIENCE_S)
            request.close_connection = True
            return
        if status == 200:
            with self._changed:
                self.received.append((dict(request.headers), json.loads(body)))
                self._changed.notify_all()
        request.send_response(status)
        request.send_header("Content-Length", "0")
        request.end_headers()

    def until(self, is_reached: Callable[[], bool]) -> None:
        with self._changed:
            assert self._changed.wait_for(is_reached, PATIENCE_S), f"{self.asked} asked, {len(self.received)} received"
