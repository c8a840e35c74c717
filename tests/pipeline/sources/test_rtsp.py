"""A network camera that speaks RTSP, in a process of its own that can be killed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from checkpoints.errors import HungUp, LoginRefused, Stalled
from pipeline.config import CameraConfig, CaptureConfig, SuperviseConfig
from pipeline.sources.stream import stream_source
from pipeline.stage import StageContext

SCRIPT = Path(__file__).with_name("rtsp_server.py")
Begin = Callable[..., tuple[int, "subprocess.Popen[str]"]]


@pytest.fixture
def begin(clip: Path) -> Iterator[Begin]:
    """Starts a server with these flags; gives its port and its process."""
    servers: list[subprocess.Popen[str]] = []

    def make(*words: str) -> tuple[int, subprocess.Popen[str]]:
        command = [sys.executable, str(SCRIPT), str(clip), *words]
        server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        servers.append(server)
        assert server.stdout is not None
        return int(server.stdout.readline()), server

    yield make
    for server in servers:
        server.kill()
        server.communicate()


def door(port: int, login: str = "") -> CameraConfig:
    return CameraConfig("door", f"rtsp://{login}127.0.0.1:{port}/clip", f"rtsp://127.0.0.1:{port}/clip")


def context(told: Any, *, timeout_s: float = 10.0) -> StageContext:
    given: StageContext = told.context(CaptureConfig(lossless=False, open_timeout_s=5))
    return replace(given, config=replace(given.config, supervise=SuperviseConfig(camera_timeout_s=timeout_s)))


def test_a_stream_comes_without_gaps_from_its_first_picture(begin: Begin, told: Any, outbox: Any, pulse: Any) -> None:
    port, _ = begin("--times", "4")
    with pytest.raises(HungUp):
        stream_source(door(port), context(told)).run(outbox, pulse)
    assert [ref.seq for ref in outbox.refs] == list(range(4 * 30))


@pytest.mark.parametrize("jump_s", ["-5000", "5000", "0.000001"])
def test_a_clock_that_jumps_or_stands_still_does_no_harm(
    begin: Begin, jump_s: str, told: Any, outbox: Any, pulse: Any
) -> None:
    port, _ = begin("--times", "2", "--fps", "100", "--jump", jump_s)
    with pytest.raises(HungUp):
        stream_source(door(port), context(told)).run(outbox, pulse)
    steps_s = [after.pts_s - before.pts_s for before, after in pairwise(outbox.refs)]
    assert len(steps_s) == 59
    assert min(steps_s) > 0
    length_s = (outbox.refs[-1].captured_ns - outbox.refs[0].captured_ns) / 1e9
    assert sum(steps_s) == pytest.approx(length_s, abs=1.0)


def test_a_login_is_used(begin: Begin, told: Any, outbox: Any, pulse: Any) -> None:
    port, _ = begin("--login", "me:s3cret", "--times", "1")
    with pytest.raises(HungUp):
        stream_source(door(port, "me:s3cret@"), context(told)).run(outbox, pulse)
    assert len(outbox.refs) == 30


@pytest.mark.parametrize("login", ["", "me:wr0ng@"])
def test_a_wrong_login_is_a_clear_error(begin: Begin, login: str, told: Any, outbox: Any, pulse: Any) -> None:
    port, _ = begin("--login", "me:s3cret")
    with pytest.raises(LoginRefused) as caught:
        stream_source(door(port, login), context(told)).run(outbox, pulse)
    assert "wr0ng" not in str(caught.value)
    assert f"127.0.0.1:{port}" in str(caught.value)


def test_a_camera_that_falls_silent_is_lost_in_time(begin: Begin, told: Any, outbox: Any, pulse: Any) -> None:
    port, _ = begin("--silent", "--times", "2")
    with pytest.raises(Stalled):
        stream_source(door(port), context(told, timeout_s=0.5)).run(outbox, pulse)
    assert len(outbox.refs) >= 59  # FFmpeg keeps a picture until it knows where the next one begins


def test_a_camera_that_is_killed_is_lost_at_once(begin: Begin, told: Any, outbox: Any, pulse: Any) -> None:
    port, server = begin("--silent", "--times", "2")
    publish = outbox.publish

    def publish_then_kill(ref: Any, fill: Any) -> None:
        publish(ref, fill)
        if len(outbox.refs) == 3:
            server.kill()

    outbox.publish = publish_then_kill
    with pytest.raises(HungUp):
        stream_source(door(port), context(told, timeout_s=1000)).run(outbox, pulse)


def test_a_camera_that_says_how_long_it_goes_on_is_lost_when_it_ends(
    begin: Begin, told: Any, outbox: Any, pulse: Any
) -> None:
    port, _ = begin("--says-length")
    with pytest.raises(HungUp):
        stream_source(door(port), context(told)).run(outbox, pulse)
    assert len(outbox.refs) == 30
