"""The console's routes without a program behind them: the same JSON, over made-up data."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import cv2
import numpy as np

import app
from checkpoints.portrait import PATH as PORTRAIT
from tests.app.console.fake_answers import answer, problem
from tests.app.console.made_up import Json, State

STATIC = Path(app.__file__).parent / "console" / "static"
TYPES = {".html": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
TOKEN = "the token of this session"
POLICY = "default-src 'self'; frame-ancestors 'none'"


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64  # a page asks for all its pictures at once


class FakeConsole:
    """state may be changed while it serves; `stop` and `start` again keep the port."""

    def __init__(self, state: State) -> None:
        self.state = state
        self._port = 0
        self.start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        self.state.ended.clear()
        self._server = Server(("127.0.0.1", self._port), handler(self.state))
        self._port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def stop(self) -> None:
        self.state.ended.set()
        with self.state.arrived:
            self.state.arrived.notify_all()
        self._server.shutdown()
        self._server.server_close()


def handler(state: State) -> type[BaseHTTPRequestHandler]:
    class Handler(Requests):
        pass

    Handler.state = state
    return Handler


class Requests(BaseHTTPRequestHandler):
    state: State

    def log_message(self, *arguments: object) -> None:
        pass

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        self.state.asked.append(self.path)
        if url.path in self.state.wrong:
            return self.json(*self.state.wrong[url.path])
        if url.path == "/" or url.path.startswith("/static/"):
            return self.file(
                STATIC / url.path.removeprefix("/static").strip("/") if url.path != "/" else STATIC / "index.html"
            )
        if url.path == "/healthz":
            return self.json(200 if self.state.health["status"] == "ok" else 503, self.state.health)
        if url.path == "/api/session":
            return self.json(200, self.session())
        if not self.signed_in():
            return self.json(401, problem("Sign in first."))
        return self.routed(url.path, {key: value[0] for key, value in parse_qs(url.query).items()})

    def routed(self, path: str, asked: dict[str, str]) -> None:
        streams: dict[str, Callable[[], None]] = {"/api/live": self.live, "/api/events/stream": self.news}
        if path in streams:
            return streams[path]()
        if path.endswith(("/picture", "/crop", "/snapshot")):
            return self.bytes(200, "image/jpeg", PORTRAIT.read_bytes())
        if path == "/api/events/export":
            return self.bytes(200, "text/csv", b"id,name\r\n")
        return self.json(*answer(self.state, "GET", parts(path), asked, {}))

    def do_POST(self) -> None:
        self.change("POST")

    def do_PATCH(self) -> None:
        self.change("PATCH")

    def do_DELETE(self) -> None:
        self.change("DELETE")

    def change(self, method: str) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = urlsplit(self.path).path
        self.state.asked.append(f"{method} {self.path}")
        body = self.body(raw)
        if f"{method} {path}" in self.state.wrong:
            return self.json(*self.state.wrong[f"{method} {path}"])
        if path == "/api/login":
            return self.login(body)
        if self.headers.get("X-CSRF-Token") != TOKEN:
            return self.json(403, problem("This change does not come from the console's own page."))
        if path == "/api/logout":
            self.state.asked.append("signed out")
            self.send_response(204)
            self.send_header("Set-Cookie", "session=; Max-Age=0")
            return self.end_headers()
        return self.json(*answer(self.state, method, parts(path), {}, body))

    def body(self, raw: bytes) -> Json:
        if (self.headers.get("Content-Type") or "").startswith("multipart/form-data"):
            name = raw.partition(b'name="name"\r\n\r\n')[2].partition(b"\r\n")[0].decode()
            return {"pictures": raw.count(b'name="pictures"'), "name": name}
        return json.loads(raw) if raw else {}

    def login(self, body: Json) -> None:
        if body["password"] != self.state.password:
            self.json(401, problem("This is not the password.", fix="try again"))
            return
        self.json(200, self.session(signed_in=True), {"Set-Cookie": "session=1; HttpOnly; SameSite=Strict"})

    def signed_in(self) -> bool:
        return self.state.password is None or "session=1" in (self.headers.get("Cookie") or "")

    def session(self, *, signed_in: bool = False) -> Json:
        inside = signed_in or self.signed_in()
        needed = self.state.password is not None
        role, token = (self.state.role, TOKEN) if inside else (None, None)
        return {"login_needed": needed, "role": role, "csrf": token, "version": "0"}

    def live(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        self.end_headers()
        for seq in range(self.state.frames):
            there = all(self.part(one["name"], seq) for one in self.state.cameras)
            if not there or self.state.ended.wait(0.04):
                return

    def part(self, name: str, seq: int) -> bool:
        picture = np.full((360, 640, 3), (40, 10 + 5 * (seq % 40), 60), np.uint8)
        jpeg = cv2.imencode(".jpg", picture)[1].tobytes()
        about = json.dumps({"camera": name, "seq": seq, "size": [640, 360], "faces": self.state.faces})
        head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\nX-Frame: {about}\r\n\r\n"
        return self.pushed(head.encode() + jpeg + b"\r\n")

    def news(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        told = len(self.state.news)
        while not self.state.ended.is_set() and self.pushed(b": still here\n\n"):
            with self.state.arrived:
                if told == len(self.state.news):
                    self.state.arrived.wait(0.5)
            for new in self.state.news[told:]:
                self.pushed(f"id: {new['id']}\ndata: {json.dumps(new)}\n\n".encode())
                told += 1

    def pushed(self, data: bytes) -> bool:
        """False: the page was left."""
        try:
            self.wfile.write(data)
        except OSError:
            return False
        return True

    def file(self, path: Path) -> None:
        if not path.is_file():
            self.json(404, problem("There is no such file."))
            return
        self.bytes(200, TYPES[path.suffix], path.read_bytes())

    def json(self, status: int, value: object, more: dict[str, str] | None = None) -> None:
        self.bytes(status, "application/json", json.dumps(value).encode(), more)

    def bytes(self, status: int, kind: str, data: bytes, more: dict[str, str] | None = None) -> None:
        self.send_response(status)
        headers = {"Content-Type": kind, "Content-Length": str(len(data)), "Content-Security-Policy": POLICY}
        for name, value in {**headers, **(more or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)


def parts(path: str) -> list[str]:
    return [unquote(part) for part in path.removeprefix("/api/").split("/")]
