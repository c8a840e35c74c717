"""What a container is asked every ten seconds."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from app.settings import ROOT


@contextmanager
def console(status: int) -> Iterator[int]:
    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/healthz" else 404)
            self.end_headers()
            self.wfile.write(b'{"status": "as told"}')

        def log_message(self, *_words: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def ask(port: int) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "docker/health.py")]
    return subprocess.run(
        command, env={"CONSOLE_PORT": str(port)}, capture_output=True, text=True, check=False, timeout=60
    )


@pytest.mark.parametrize(("status", "code"), [(200, 0), (503, 1), (401, 1), (500, 1)])
def test_only_a_run_that_does_its_work_is_healthy(status: int, code: int) -> None:
    with console(status) as port:
        done = ask(port)
    assert (done.returncode, done.stdout) == (code, '{"status": "as told"}')


def test_a_console_that_is_gone_is_not_healthy() -> None:
    with console(200) as port:
        pass
    done = ask(port)
    assert done.returncode == 1
    assert "the console does not answer" in done.stdout
