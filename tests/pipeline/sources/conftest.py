from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.config import CameraConfig, CaptureConfig, RunConfig
from pipeline.messages import FrameRef
from pipeline.stage import StageContext

CLIP_FPS = 25.0
CLIP_FRAMES = 30


@dataclass
class FakeOutbox:
    """Keeps what a source publishes: the record and how light the picture is."""

    refs: list[FrameRef] = field(default_factory=list)
    shades: list[float] = field(default_factory=list)
    last: FrameRef | None = None

    @property
    def next_position(self) -> int:
        return len(self.refs)

    def make_room(self) -> None:
        """There is always room."""

    def publish(self, ref: FrameRef, fill: Callable[[NDArray[np.uint8]], None]) -> None:
        image = np.empty((ref.size_wh[1], ref.size_wh[0], 3), np.uint8)
        fill(image)
        self.refs.append(ref)
        self.shades.append(float(image.mean()))
        self.last = ref


@dataclass
class FakePulse:
    """Stops after so many beats; time that it is asked to wait passes at once, and is remembered."""

    stop_after: int = 10_000
    beats: int = 0
    waits: list[float] = field(default_factory=list)

    def beat(self) -> None:
        self.beats += 1

    def wait(self, timeout_s: float = 0.25) -> None:
        self.beats += 1
        self.waits.append(timeout_s)

    def rest(self, seconds: float) -> None:
        self.wait(seconds)

    @property
    def stopping(self) -> bool:
        return self.beats >= self.stop_after


@dataclass
class Told:
    said: list[str] = field(default_factory=list)
    promised: list[int] = field(default_factory=list)

    def context(self, capture: CaptureConfig, *, generation: int = 0, events: Path | None = None) -> StageContext:
        config = RunConfig(cameras=(), capture=capture)
        config = replace(config, output=replace(config.output, events=events))
        return StageContext(
            stage="capture",
            config=config,
            look=None,
            generation=generation,
            say=self.said.append,
            promise=self.promised.append,
            complain=lambda error: self.said.append(str(error)),
            request_stop=self.said.append,
        )


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def outbox() -> FakeOutbox:
    return FakeOutbox()


@pytest.fixture
def pulse() -> FakePulse:
    return FakePulse()


@pytest.fixture
def camera() -> Callable[[object], CameraConfig]:
    return lambda source: CameraConfig("cam", str(source), str(source))


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """Thirty noisy frames, each a little lighter than the last; its index comes first, as in most files."""
    path = tmp_path / "clip.mp4"
    noise = np.random.default_rng(1)
    with av.open(str(path), "w", options={"movflags": "faststart"}) as container:
        stream = container.add_stream("libx264", rate=int(CLIP_FPS), options={"bf": "0", "g": "10"})
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        for index in range(CLIP_FRAMES):
            image = noise.integers(10 + 6 * index, 30 + 6 * index, (120, 160, 3), np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        container.mux(stream.encode(None))
    return path


@pytest.fixture
def serve() -> Iterator[Callable[[bytes, str], str]]:
    """A web server on this machine that gives the same bytes to everybody who asks. kind: of the bytes, or a status."""
    servers: list[ThreadingHTTPServer] = []

    def begin(data: bytes, kind: str) -> str:

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(int(kind) if kind.isdigit() else 200)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                try:
                    self.wfile.write(data)
                except (BrokenPipeError, ConnectionResetError):
                    return  # the reader has seen enough

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Quiet."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}/stream"

    yield begin
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def serve_folder() -> Iterator[Callable[[Path], str]]:
    """A web server for the files of a folder."""
    servers: list[ThreadingHTTPServer] = []

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Says nothing."""

    def begin(folder: Path) -> str:
        server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}"

    yield begin
    for server in servers:
        server.shutdown()
        server.server_close()
