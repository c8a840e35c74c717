from __future__ import annotations

import errno
import json
import os
import socket
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

from checkpoints.errors import HungUp, NoSuchStream, NotDecodable, Unreachable
from pipeline import lines
from pipeline.config import CameraConfig, CaptureConfig
from pipeline.sources.stream import stream_source


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
    with pytest.raises(Unreachable) as caught:
        stream_source(secret, told.context(config)).run(outbox, pulse)
    assert "secret" not in str(caught.value)
    assert "…@127.0.0.1/x: nobody listens there" in str(caught.value)


def test_a_camera_that_answers_nothing_is_given_up_in_time(told: Any, outbox: Any, pulse: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"rtsp://127.0.0.1:{listener.getsockname()[1]}/x"
        config = CaptureConfig(lossless=False, open_timeout_s=0.3)
        with pytest.raises(Unreachable, match="reached"):
            stream_source(CameraConfig("door", address, address), told.context(config)).run(outbox, pulse)
    assert pulse.beats, "the parent would take it for dead"


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


def test_a_camera_that_hangs_up_is_lost_and_known_when_it_is_back(
    serve: Callable[[bytes, str], str], mjpeg: bytes, told: Any, outbox: Any, pulse: Any, tmp_path: Path
) -> None:
    address = serve(mjpeg, "multipart/x-mixed-replace; boundary=edge")
    events = tmp_path / "events.jsonl"
    config = CaptureConfig(lossless=False)
    for generation in (0, 1):
        context = told.context(config, generation=generation, events=events)
        with pytest.raises(HungUp):
            stream_source(CameraConfig("door", address, address), context).run(outbox, pulse)
    assert [ref.seq for ref in outbox.refs] == list(range(20))
    assert [ref.epoch for ref in outbox.refs] == [0] * 10 + [1] * 10
    assert [json.loads(line)["state"] for line in events.read_text().splitlines()] == ["up", "up"]
    assert told.said == [f"camera door ({address}): back"]


@pytest.mark.parametrize("is_endless", [False, True])
def test_why_a_connection_broke_is_told_on_a_full_disk_too(
    serve: Callable[[bytes, str], str],
    mjpeg: bytes,
    told: Any,
    outbox: Any,
    pulse: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    is_endless: bool,
) -> None:
    def refuse(_fd: int, _data: bytes) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    address = serve(mjpeg, "multipart/x-mixed-replace; boundary=edge")
    camera = CameraConfig("door", address, address, live=is_endless)
    context = told.context(CaptureConfig(lossless=False), events=tmp_path / "events.jsonl")
    context = replace(context, config=replace(context.config, cameras=(camera,)))
    monkeypatch.setattr(lines.os, "write", refuse)
    source = stream_source(camera, context)
    with pytest.raises(HungUp):
        source.run(outbox, pulse)
    source.close()
    assert len(outbox.refs) == 10
    (complaint,) = told.said
    assert "Events can no longer be written." in complaint


def test_a_path_that_is_not_there_is_told_from_a_camera_that_is_not(
    serve: Callable[[bytes, str], str], told: Any, outbox: Any, pulse: Any
) -> None:
    address = serve(b"", "404")
    with pytest.raises(NoSuchStream):
        stream_source(CameraConfig("door", address, address), told.context(CaptureConfig())).run(outbox, pulse)


def test_what_is_no_video_is_told_as_such(
    serve: Callable[[bytes, str], str], told: Any, outbox: Any, pulse: Any
) -> None:
    address = serve(b"<html>" * 2000, "text/html")
    with pytest.raises(NotDecodable):
        stream_source(CameraConfig("door", address, address), told.context(CaptureConfig())).run(outbox, pulse)


def test_a_video_on_a_server_is_played_once(
    serve: Callable[[bytes, str], str], clip: Path, told: Any, outbox: Any, pulse: Any
) -> None:
    address = serve(clip.read_bytes(), "video/mp4")
    source = stream_source(CameraConfig("door", address, address), told.context(CaptureConfig(lossless=False)))
    source.run(outbox, pulse)
    assert [ref.seq for ref in outbox.refs] == list(range(30))
    assert outbox.refs[10].pts_s == pytest.approx(10 / 25, abs=1e-3)


def test_a_playlist_of_hls_is_played_once(
    serve_folder: Callable[[Path], str], clip: Path, told: Any, outbox: Any, pulse: Any
) -> None:
    with av.open(str(clip)) as film, av.open(str(clip.with_name("live.m3u8")), "w", format="hls") as out:
        copied = out.add_stream_from_template(film.streams.video[0])
        for packet in film.demux(video=0):
            if packet.dts is not None:
                packet.stream = copied
                out.mux(packet)
    address = serve_folder(clip.parent) + "/live.m3u8"
    stream_source(CameraConfig("door", address, address), told.context(CaptureConfig(lossless=False))).run(
        outbox, pulse
    )
    assert len(outbox.refs) == 30


def test_a_live_playlist_of_hls_is_shown_at_its_own_pace_without_a_gap(
    serve_folder: Callable[[Path], str], clip: Path, told: Any, outbox: Any, pulse: Any
) -> None:
    playlist = clip.with_name("live.m3u8")
    segments = {"hls_time": "0.4", "hls_list_size": "0"}
    with av.open(str(clip)) as film, av.open(str(playlist), "w", format="hls", options=segments) as out:
        copied = out.add_stream_from_template(film.streams.video[0])
        for packet in film.demux(video=0):
            if packet.dts is not None:
                packet.stream = copied
                out.mux(packet)
    end = "#EXT-X-ENDLIST\n"
    whole = playlist.read_text()
    playlist.write_text(whole.removesuffix(end))
    publish = outbox.publish

    def publish_then_end(ref: Any, fill: Any) -> None:
        publish(ref, fill)
        playlist.write_text(whole)

    outbox.publish = publish_then_end
    address = serve_folder(clip.parent) + "/live.m3u8"
    with pytest.raises(HungUp):
        stream_source(CameraConfig("door", address, address), told.context(CaptureConfig(lossless=False))).run(
            outbox, pulse
        )
    assert len(outbox.refs) == 30
    assert len(pulse.waits) == 30
    assert sum(wait_s > 0 for wait_s in pulse.waits) > 20


def test_fewer_pictures_and_a_mask_are_the_cameras_own(
    serve: Callable[[bytes, str], str], clip: Path, told: Any, outbox: Any, pulse: Any
) -> None:
    address = serve(clip.read_bytes(), "video/mp4")
    whole = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))
    camera = CameraConfig("door", address, address, fps=5, size_wh=(80, 60), masks=(whole,))
    stream_source(camera, told.context(CaptureConfig(lossless=False))).run(outbox, pulse)
    assert [round(ref.pts_s * 25) for ref in outbox.refs] == [0, 5, 10, 15, 20, 25]
    assert {ref.size_wh for ref in outbox.refs} == {(80, 60)}
    assert outbox.shades == [0.0] * 6
