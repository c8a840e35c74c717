from __future__ import annotations

import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from checkpoints.errors import SourceError
from pipeline.config import CameraConfig, CaptureConfig
from pipeline.sources.stream import StreamSource


@pytest.fixture
def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.mark.parametrize("scheme", ["http", "rtsp"])
def test_an_address_that_nobody_answers_is_a_clear_error(
    closed_port: int, scheme: str, told: Any, outbox: Any, pulse: Any
) -> None:
    config = CaptureConfig(lossless=False, open_timeout_s=2.0)
    secret = CameraConfig("door", f"{scheme}://me:secret@127.0.0.1:{closed_port}/x", f"{scheme}://…@127.0.0.1/x")
    source = StreamSource(secret, config, told.context(config))
    with pytest.raises(SourceError) as caught:
        source.run(outbox, pulse)
    assert "secret" not in str(caught.value)
    assert "…@127.0.0.1/x" in str(caught.value)


def test_a_stream_that_was_up_is_waited_for(
    closed_port: int, told: Any, outbox: Any, pulse: Any, tmp_path: Path
) -> None:
    config = CaptureConfig(lossless=False, open_timeout_s=2.0)
    events = tmp_path / "events.jsonl"
    address = f"http://127.0.0.1:{closed_port}/x"
    pulse.stop_after = 2000
    source = StreamSource(
        CameraConfig("door", address, address), config, told.context(config, generation=1, events=events)
    )
    source.run(outbox, pulse)
    states = [json.loads(line)["state"] for line in events.read_text().splitlines()]
    assert states[:2] == ["lost", "reconnecting"]


@pytest.fixture
def mjpeg() -> bytes:
    """Ten pictures as a camera's web server sends them."""
    parts = []
    for index in range(10):
        ok, jpeg = cv2.imencode(".jpg", np.full((48, 64, 3), 20 * index, np.uint8))
        assert ok
        head = f"--edge\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n".encode()
        parts.append(head + jpeg.tobytes() + b"\r\n")
    return b"".join(parts)


def test_a_camera_that_hangs_up_is_called_again(
    serve: Callable[[bytes, str], str], mjpeg: bytes, told: Any, outbox: Any, pulse: Any
) -> None:
    address = serve(mjpeg, "multipart/x-mixed-replace; boundary=edge")
    config = CaptureConfig(lossless=False, frames=25)
    source = StreamSource(CameraConfig("door", address, address), config, told.context(config))
    source.run(outbox, pulse)
    assert [ref.seq for ref in outbox.refs] == list(range(25))
    assert sorted({ref.epoch for ref in outbox.refs}) == [0, 1, 2]
    assert pulse.waits, "it must not call again without a pause"


def test_a_video_on_a_server_is_played_once(
    serve: Callable[[bytes, str], str], clip: Path, told: Any, outbox: Any, pulse: Any
) -> None:
    address = serve(clip.read_bytes(), "video/mp4")
    config = CaptureConfig(lossless=False)
    source = StreamSource(CameraConfig("door", address, address), config, told.context(config))
    source.run(outbox, pulse)
    assert [ref.seq for ref in outbox.refs] == list(range(30))
