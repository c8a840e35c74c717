"""A network camera that speaks RTSP, in a process of its own that can be killed."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from checkpoints.errors import SourceError
from pipeline.config import CameraConfig, CaptureConfig
from pipeline.sources.stream import StreamSource

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


def test_a_stream_comes_without_gaps_and_is_called_again_at_its_end(
    begin: Begin, told: Any, outbox: Any, pulse: Any
) -> None:
    port, _ = begin("--times", "8")
    config = CaptureConfig(lossless=False, frames=300)
    StreamSource(door(port), config, told.context(config)).run(outbox, pulse)
    assert [ref.seq for ref in outbox.refs] == list(range(300))
    epochs = [ref.epoch for ref in outbox.refs]
    assert epochs == sorted(epochs)
    assert set(epochs) == {0, 1}
    # FFmpeg looks at the first pictures of a camera to learn what it sends, and throws them away.
    assert epochs.count(0) > 150
    for epoch in (0, 1):
        times_s = [ref.pts_s for ref in outbox.refs if ref.epoch == epoch]
        steps_s = [later - earlier for earlier, later in pairwise(times_s)]
        assert steps_s == pytest.approx([1 / 25] * len(steps_s), abs=1e-3)


def test_a_login_is_used(begin: Begin, told: Any, outbox: Any, pulse: Any) -> None:
    port, _ = begin("--login", "me:s3cret", "--times", "4")
    config = CaptureConfig(lossless=False, frames=5)
    StreamSource(door(port, "me:s3cret@"), config, told.context(config)).run(outbox, pulse)
    assert len(outbox.refs) == 5


@pytest.mark.parametrize("login", ["", "me:wr0ng@"])
def test_a_wrong_login_is_a_clear_error(begin: Begin, login: str, told: Any, outbox: Any, pulse: Any) -> None:
    port, _ = begin("--login", "me:s3cret")
    config = CaptureConfig(lossless=False, open_timeout_s=5)
    with pytest.raises(SourceError) as caught:
        StreamSource(door(port, login), config, told.context(config)).run(outbox, pulse)
    assert "wr0ng" not in str(caught.value)
    assert f"127.0.0.1:{port}" in str(caught.value)


@pytest.mark.parametrize("killed", [False, True])
def test_a_camera_that_falls_silent_or_dies_is_lost_and_called_again(
    begin: Begin, killed: bool, told: Any, outbox: Any, pulse: Any, tmp_path: Path
) -> None:
    port, server = begin("--silent", "--times", "8")
    events = tmp_path / "events.jsonl"
    config = CaptureConfig(lossless=False, open_timeout_s=1.0)
    publish, wait = outbox.publish, pulse.wait

    def publish_then_kill(ref: Any, fill: Any) -> None:
        publish(ref, fill)
        if killed and len(outbox.refs) == 3:
            server.kill()
            server.wait()

    def wait_no_more(timeout_s: float = 0.25) -> None:
        wait(timeout_s)
        pulse.stop_after = 0  # it is about to call again: that is enough

    outbox.publish, pulse.wait = publish_then_kill, wait_no_more
    StreamSource(door(port), config, told.context(config, events=events)).run(outbox, pulse)
    states = [json.loads(line)["state"] for line in events.read_text(encoding="utf-8").splitlines()]
    assert states == ["up", "lost", "reconnecting"]
    assert len(outbox.refs) >= 3
