"""A whole run talks to nobody that it was not told to talk to, what its libraries do by themselves included."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from checkpoints.portrait import PATH as PORTRAIT
from checkpoints.portrait import PERSON

ROOT = Path(__file__).resolve().parents[2]
STRACE = shutil.which("strace")
CALLS = "connect,sendto,sendmsg,sendmmsg"
# Addresses in the arguments of calls: AF_UNIX ones lead to this machine only.
_NET = re.compile(r"sa_family=AF_(INET6?|PACKET).*?(?:inet_addr\(\"([^\"]+)\"|inet_pton\(AF_INET6, \"([^\"]+)\")")
_PORT = re.compile(r"sin6?_port=htons\((\d+)\)")


def _can_trace(folder: Path) -> bool:
    """Some containers forbid it."""
    if STRACE is None:
        return False
    return subprocess.run([STRACE, "-o", folder / "try", "true"], capture_output=True).returncode == 0


@pytest.fixture
def traced(program: Any, tmp_path: Path) -> Any:
    if not _can_trace(tmp_path):
        pytest.skip("strace is not here, or may not be used: apt-get install strace")
    (tmp_path / "home").mkdir()

    def run(*arguments: object, more: dict[str, str] | None = None, wait_for: str = "") -> list[tuple[str, int]]:
        trace = tmp_path / "trace"
        command = [STRACE, "-f", "-qq", "-e", f"trace={CALLS}", "-o", trace, sys.executable, "-m", "app.main"]
        # Some telemetry is off where CI is said to run, and on for everybody else.
        environment = program.environment(HOME=str(tmp_path / "home"), **(more or {}))
        started = subprocess.Popen(
            [str(word) for word in (*command, *arguments)],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        said = ""
        assert started.stdout is not None
        with started.stdout:
            for line in started.stdout:
                said += line
                if wait_for and wait_for in line:
                    os.killpg(started.pid, signal.SIGINT)
                    wait_for = ""
        assert started.wait(timeout=150) == 0, said
        assert trace.stat().st_size, "nothing was traced at all"
        return called(trace.read_text())

    return run


def called(trace: str) -> list[tuple[str, int]]:
    """Host and port of each call to an address on some network."""
    found = []
    for line in trace.splitlines():
        if (address := _NET.search(line)) is not None:
            port = _PORT.search(line)
            found.append((address[2] or address[3] or address[1], int(port[1]) if port else 0))
    return found


def test_calls_are_found_in_a_trace(tmp_path: Path) -> None:
    """A watcher that sees nothing would let everything pass."""
    if not _can_trace(tmp_path):
        pytest.skip("strace is not here, or may not be used: apt-get install strace")
    code = (
        "import socket; s = socket.socket(); s.settimeout(1)\n"
        "try: s.connect(('127.0.0.1', 9))\nexcept OSError: pass\n"
        "u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); u.sendto(b'x', ('127.0.0.2', 53))\n"
        "v = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)\n"
        "try: v.connect(('::1', 443))\nexcept OSError: pass\n"
        "socket.socket(socket.AF_UNIX)"
    )
    command = [str(STRACE), "-f", "-qq", "-e", f"trace={CALLS}", "-o", str(tmp_path / "t"), sys.executable, "-c", code]
    subprocess.run(command, check=True)
    assert called((tmp_path / "t").read_text()) == [("127.0.0.1", 9), ("127.0.0.2", 53), ("::1", 443)]


@pytest.mark.timeout(600)
def test_a_run_and_enrolment_call_nobody(traced: Any, tmp_path: Path) -> None:
    calls = traced("enroll", "Eileen", PORTRAIT)
    calls += traced(
        "--source", "demo", "--frames", 30, "--events", tmp_path / "e.jsonl", "--report", tmp_path / "r.json"
    )
    calls += traced("gallery", "list")
    assert calls == []
    assert list((tmp_path / "home").iterdir()) == [], "nothing is left in the user's folder either"


@pytest.mark.timeout(600)
def test_the_console_calls_nobody(traced: Any) -> None:
    more = {"DISPLAY_MODE": "web", "CONSOLE_PORT": "0"}
    assert traced("--source", "demo", "--loop", "--realtime", 10, more=more, wait_for=PERSON) == []


@pytest.mark.timeout(600)
def test_a_webhook_calls_who_was_named_and_nobody_else(traced: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    more = {"WEBHOOK_URL": f"http://127.0.0.1:{port}/hook"}
    assert set(traced("--source", "demo", "--frames", 30, more=more)) == {("127.0.0.1", port)}
