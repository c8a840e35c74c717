from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def address() -> str:
    """Of a camera that is not there."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"rtsp://{{user}}:{{password}}@127.0.0.1:{probe.getsockname()[1]}/live"


LOGIN = {"CAMERA_USER": "viewer", "CAMERA_PASSWORD": "s3cr/et"}


def test_a_camera_that_is_not_there_ends_the_program_and_says_what_to_do(program: Any, address: str) -> None:
    ended = program.run("--source", address, VIDEO_NAME="door", **LOGIN)
    assert ended.code == 2
    assert "The camera cannot be reached." in ended.said
    assert "nobody listens there" in ended.said
    assert "fix: check the address" in ended.said
    assert "s3cr" not in ended.said


def test_beside_a_source_that_works_it_is_told_and_called_again(
    program: Any, address: str, tmp_path: Path, read_events: Any
) -> None:
    events = tmp_path / "events.jsonl"
    film = ("--source", "demo", "--source", address, "--frames", "60", "--events", events)
    process = program.start(*film, **LOGIN)
    told = ""
    while "lost" not in told:
        told = process.stdout.readline()
        assert told, "it ended without a word of the camera"
    process.terminate()
    process.communicate(timeout=60)
    (lost,) = [event for event in read_events(events) if event.get("type") == "camera" and event["state"] == "lost"]
    assert lost["trouble"] == "unreachable"
    assert "check the address" in lost["fix"]
    assert "s3cr" not in events.read_text() + told


def test_a_login_that_nobody_set_is_told(program: Any, address: str) -> None:
    ended = program.run("--source", address, CAMERA_USER="viewer")
    assert ended.code == 2
    assert "CAMERA_PASSWORD" in ended.said
