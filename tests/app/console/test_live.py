"""The live picture and the stream of events, over real connections."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import httpx
import numpy as np
import pytest

from app.console import port
from app.console.live import Follower, Live
from checkpoints.errors import OutputError
from pipeline.clock import now_ns
from tests.app.console.small_console import CAMERA, SmallConsole, face

PATIENCE_S = 30


@pytest.fixture
def small(tmp_path: Path) -> Iterator[SmallConsole]:
    made = SmallConsole(tmp_path, {"CONSOLE_FPS": "60"})
    yield made
    made.close()


class Camera:
    """Gives frames until it is closed; the grey level of a frame is its number."""

    def __init__(self, small: SmallConsole) -> None:
        self._small = small
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def _work(self) -> None:
        seq = 0
        while not self._stop.wait(0.02):
            seq += 1
            self._small.show(seq, [face(3, "Ada")], grey=20 + seq % 200)

    def close(self) -> None:
        self._stop.set()
        self._thread.join()


@pytest.fixture
def camera(small: SmallConsole) -> Iterator[Camera]:
    made = Camera(small)
    yield made
    made.close()


def parts(stream: httpx.Response) -> Iterator[tuple[dict[str, Any], bytes]]:
    """X-Frame and JPEG of each part."""
    buffer = b""
    for data in stream.iter_raw():
        buffer += data
        while (end := buffer.find(b"\r\n\r\n")) >= 0:
            head = dict(line.split(b": ", 1) for line in buffer[:end].split(b"\r\n") if b": " in line)
            length = int(head[b"Content-Length"])
            if len(buffer) < end + 4 + length + 2:
                break
            yield json.loads(head[b"X-Frame"]), buffer[end + 4 : end + 4 + length]
            buffer = buffer[end + 4 + length + 2 :]


def until(what: Callable[[], object]) -> None:
    end_ns = now_ns() + PATIENCE_S * 1_000_000_000
    while not what():
        assert now_ns() < end_ns, "it never came to be"


def test_pictures_move_and_tell_where_the_faces_are(small: SmallConsole, camera: Camera) -> None:
    with small.client() as client, client.stream("GET", "/api/live") as stream:
        assert stream.headers["content-type"].startswith("multipart/x-mixed-replace")
        seen = []
        for about, jpeg in parts(stream):
            image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
            assert abs(float(image.mean()) - (20 + about["seq"] % 200)) < 2, "the very frame that the faces are of"
            seen.append(about)
            if len(seen) == 5:
                break
    assert [one["seq"] for one in seen] == sorted({one["seq"] for one in seen})
    (told,) = seen[0]["faces"]
    assert (told["track"], told["name"], told["state"]) == (3, "Ada", "known")
    until(lambda: small.live_followers == 0)


def test_boxes_are_drawn_for_those_who_cannot(small: SmallConsole, camera: Camera) -> None:
    with small.client() as client, client.stream("GET", f"/api/cameras/{CAMERA}/live") as stream:
        _, jpeg = next(parts(stream))
    assert cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR).std() > 5


def test_who_never_reads_keeps_neither_pictures_nor_others_waiting(small: SmallConsole, camera: Camera) -> None:
    with small.client() as client:
        lazy = socket.create_connection((client.base_url.host, client.base_url.port or 80))
        lazy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        lazy.sendall(b"GET /api/live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        until(lambda: small.live_followers == 1)
        with client.stream("GET", "/api/live") as stream:
            reading = parts(stream)
            for _ in range(100):
                next(reading)
            assert all(len(one._fresh) <= 1 for one in small.state.live._followers)
        lazy.close()
        until(lambda: small.live_followers == 0)


def test_nothing_is_encoded_when_nobody_looks() -> None:
    live = Live()
    assert live.wanted(CAMERA) == []


def test_an_unknown_camera_has_no_live_picture(small: SmallConsole) -> None:
    with small.client() as client:
        assert client.get("/api/cameras/none/live").status_code == 404
        assert client.get("/api/live", params={"camera": "none"}).status_code == 404


def test_the_latest_picture_of_each_camera_wins() -> None:
    import asyncio

    from app.console.live import Sight

    async def taken() -> list[tuple[str, bytes]]:
        follower = Follower(["a", "b"], drawn=False)
        for camera, jpeg in (("a", b"1"), ("a", b"2"), ("b", b"3")):
            follower.offer(Sight(camera, False, jpeg, "{}"))
        return [(one.camera, one.jpeg) for one in await follower.next()]

    # In a thread of its own: where a browser is driven in this session, this one has an event loop already.
    with ThreadPoolExecutor(1) as apart:
        assert apart.submit(asyncio.run, taken()).result() == [("a", b"2"), ("b", b"3")]


def test_new_events_arrive_without_asking(small: SmallConsole) -> None:
    small.tell(id="door/0/1", frame=0, track=1, name=None, state="unknown")
    with small.client() as client, client.stream("GET", "/api/events/stream") as stream:
        lines = stream.iter_lines()
        assert next(lines) == ": listening"
        small.tell(id="door/1/1", frame=1, track=1, name="Ada", state="known")
        said = next(json.loads(line[6:]) for line in lines if line.startswith("data: "))
    assert (said["event"], said["name"], said["camera"]) == ("door/1/1", "Ada", CAMERA)


@pytest.mark.parametrize("how", [{"params": {"after": 1}}, {"headers": {"Last-Event-ID": "1"}}])
def test_a_page_that_comes_back_is_told_what_it_has_missed(small: SmallConsole, how: dict[str, Any]) -> None:
    for n in range(3):
        small.tell(id=f"door/{n}/1", frame=n, track=1, name=None, state="unknown")
    with small.client() as client, client.stream("GET", "/api/events/stream", **how) as stream:
        data = (json.loads(line[6:]) for line in stream.iter_lines() if line.startswith("data: "))
        assert [next(data)["frame"] for _ in range(2)] == [1, 2]


def test_a_port_in_use_names_the_process_and_the_flag() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
        with pytest.raises(OutputError, match="port is in use") as caught:
            port.listening("127.0.0.1", number)
    assert "process" in (caught.value.saw or "")
    assert "pytest" in (caught.value.saw or "")
    assert "--port" in (caught.value.fix or "")


def test_an_address_of_another_machine_cannot_be_listened_at() -> None:
    with pytest.raises(OutputError, match="cannot listen"):
        port.listening("192.0.2.1", 8080)
