"""The console of a whole run, with its models."""

from __future__ import annotations

import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from checkpoints.portrait import PATH as PORTRAIT
from checkpoints.portrait import PERSON
from pipeline.clock import now_ns
from tests.app.console.small_console import Browser

PATIENCE_S = 120


def until(what: Callable[[], object]) -> None:
    end_ns = now_ns() + PATIENCE_S * 1_000_000_000
    while not what():
        assert now_ns() < end_ns, "it never came to be"


def address_of(run: subprocess.Popen[str]) -> str:
    """As the program tells it."""
    assert run.stdout is not None
    said = ""
    for line in run.stdout:
        said += line
        if "listening at" in line:
            return line.rpartition(" at ")[2].strip()
    raise AssertionError(said)


@pytest.fixture
def run(program: Any) -> Iterator[tuple[subprocess.Popen[str], httpx.Client]]:
    started = program.start("--source", "demo", "--loop", "--realtime", "10", "--port", "0", DISPLAY_MODE="web")
    with httpx.Client(base_url=address_of(started), timeout=60) as client:
        yield started, client
    started.send_signal(signal.SIGINT)
    said, _ = started.communicate(timeout=60)
    assert started.returncode == 0, said
    assert "Traceback" not in said


@pytest.mark.timeout(500)  # everything at once on a busy machine
def test_a_run_is_watched_and_somebody_is_made_known(run: tuple[subprocess.Popen[str], httpx.Client]) -> None:
    _, client = run
    browser = Browser(client)
    until(lambda: client.get("/api/cameras").json()[0]["state"] == "live")
    until(lambda: any(face["name"] == PERSON for face in faces(client)))
    assert client.get("/healthz").status_code == 200
    until(lambda: client.get("/api/events", params={"person": PERSON}).json()["events"])

    (person,) = client.get("/api/people").json()
    assert client.get(f"/api/people/{person['id']}/picture").content[:2] == b"\xff\xd8"
    renamed = browser.send("PATCH", f"/api/people/{person['id']}", json={"name": "Somebody Else"}).json()
    until(lambda: any(face["name"] == "Somebody Else" for face in faces(client)))

    answer = browser.send("POST", "/api/identify", files={"picture": ("p.jpg", PORTRAIT.read_bytes(), "image/jpeg")})
    assert [face["name"] for face in answer.json()["faces"]] == ["Somebody Else"]

    erased = browser.send("DELETE", f"/api/people/{renamed['id']}").json()
    assert erased["pictures"] == 1
    until(lambda: {face["name"] for face in faces(client)} == {None})

    files = {"pictures": (PORTRAIT.name, PORTRAIT.read_bytes(), "image/jpeg")}
    enrolled = browser.send("POST", "/api/people", data={"name": PERSON}, files=files).json()
    assert (enrolled["kept"], enrolled["refused"], enrolled["person"]["name"]) == (1, [], PERSON)
    until(lambda: any(face["name"] == PERSON for face in faces(client)))
    again = browser.send("POST", "/api/people", data={"name": "Another"}, files=files).json()
    assert "this is already" in again["refused"][0]["why"]


def faces(client: httpx.Client) -> list[dict[str, Any]]:
    answer = client.get("/api/cameras/demo/faces")
    return list(answer.json()["faces"]) if answer.status_code == 200 else []


def test_a_port_in_use_ends_the_run_with_the_reason(program: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
        ended = program.run("--source", "demo", "--port", number, DISPLAY_MODE="web")
    assert ended.code == 2, ended.said
    assert "The console's port is in use." in ended.said
    assert f"--port {number + 1}" in ended.said


def test_an_open_console_is_refused_before_anything_starts(program: Any) -> None:
    ended = program.run("--source", "demo", "--host", "0.0.0.0", DISPLAY_MODE="web")
    assert ended.code == 2, ended.said
    assert "CONSOLE_PASSWORD" in ended.said


def test_a_file_that_ends_ends_the_console(program: Any) -> None:
    ended = program.run("--source", "demo", "--frames", "20", "--port", "0", DISPLAY_MODE="web")
    assert ended.code == 0, ended.said
    assert f"recognised: {PERSON}" in ended.said
