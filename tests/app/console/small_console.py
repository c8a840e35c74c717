"""A console over rings, a gallery and a store of the tests' own: all of it real, but for the stages."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import httpx
import numpy as np
import uvicorn

from app import settings
from app.console.application import create
from app.console.server import state_of
from app.console.state import State
from pipeline import slot
from pipeline.bell import Bell
from pipeline.board import Board, Life
from pipeline.clock import now_ns, utc_iso
from pipeline.config import CameraConfig, GalleryConfig, OutletsConfig, RunConfig
from pipeline.event_log import EventLog
from pipeline.gallery.desk import Desk
from pipeline.gallery.gallery import Cutout, Picture
from pipeline.gallery.memory import MemoryGallery
from pipeline.gallery.sightings import Sighting
from pipeline.gallery.unknowns import Shot, Unknowns
from pipeline.messages import FrameRef, Identities, NamedFace, Shown, Visit
from pipeline.outlets.reception import Reception
from pipeline.outlets.store import Store
from pipeline.ring import Ring, Writer
from pipeline.ring_header import RingSpec
from pipeline.side import SideContext

CAMERA = "door"
SPACE = "sface@sha256:aa"
DIM = 8
SIZE_WH = (320, 180)
STAGES = ("capture", "detect", "align", "recognise", "lookup", "draw")


def jpeg(grey: int = 90) -> bytes:
    return cv2.imencode(".jpg", np.full((64, 64, 3), grey, np.uint8))[1].tobytes()


def picture(n: int) -> Picture:
    cutout = Cutout(jpeg(n % 255), np.ones((5, 2), np.float32))
    return Picture(np.random.default_rng(n).normal(size=DIM).astype(np.float32), f"{n}", 0.5, cutout, f"{n}.jpg")


def face(track: int = 1, name: str | None = None) -> NamedFace:
    return NamedFace(
        track=track,
        box_xyxy=np.array([20, 20, 120, 140], np.float32),
        landmarks=np.full((5, 2), 60, np.float32),
        quality=0.8,
        name=name,
        state="known" if name else "unknown",
        score=0.6,
        margin=0.2,
        votes=3,
    )


class Served:
    """The gallery with its desk, as the stage lookup serves it."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        self.gallery = MemoryGallery(space=SPACE, dim=DIM)
        self.named: list[tuple[str, int, str]] = []
        self._desk = Desk(self.gallery, folder, self._name_face)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _name_face(self, camera: str, track: int, name: str) -> int:
        self.named.append((camera, track, name))
        return self.gallery.add(name, [picture(1000 + track)])

    def _serve(self) -> None:
        while not self._stop.wait(0.001):
            self._desk.serve_waiting()

    def close(self) -> None:
        self._stop.set()
        self._thread.join()
        self._desk.close()


@dataclass
class SmallConsole:
    folder: Path
    environ: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.served = Served(self.folder / "gallery")
        self.unknowns = Unknowns(self.folder / "gallery", near=0.4)
        self.config = RunConfig(
            cameras=(CameraConfig(CAMERA, "rtsp://user:secret@host/stream", "rtsp://…@host/stream"),),
            gallery=GalleryConfig(self.folder / "gallery"),
            outlets=OutletsConfig(store=self.folder / "events"),
        )
        self._bell = Bell()
        self.board = Board()
        self.rings = {
            f"frames:{CAMERA}": self._ring(f"frames:{CAMERA}", slot.frame_bytes(SIZE_WH)),
            "identities": self._ring("identities", 65_536),
            "shown": self._ring("shown", 8192),
        }
        self._writers: dict[str, Writer] = {name: ring.writer() for name, ring in self.rings.items()}
        for place in range(len(STAGES)):
            post = self.board.post(place)
            post.begin()
            post.enter(Life.RUNNING)
        self.log = EventLog(self.folder / "events.jsonl")
        self.store = Store(self.folder / "events")
        self.state: State = state_of(self._context(), settings.load({"DISPLAY_MODE": "web", **self.environ}), 8080)
        self.app = create(self.state)
        self.state.watching.start()

    def _ring(self, name: str, size: int) -> Ring:
        spec = RingSpec(name, 8, size, ("draw",), lossless=False)
        return Ring(spec, reader_bell=self._bell, space_bell=self._bell)

    def _context(self) -> SideContext:
        def ignore(_said: Any) -> None:
            """Nobody sits at a terminal."""

        return SideContext(self.config, None, self.rings, self.board, STAGES, 0, ignore, ignore, ignore)

    @property
    def live_followers(self) -> int:
        return self.state.live.followers

    def beat(self) -> None:
        for place in range(len(STAGES)):
            self.board.post(place).beat()

    def show(self, seq: int, faces: Sequence[NamedFace] = (), *, age_s: float = 0.0, grey: int = 90) -> None:
        """A frame that goes all the way."""
        captured_ns = now_ns() - int(age_s * 1e9)
        frames = self._writers[f"frames:{CAMERA}"]
        claim = frames.claim()
        assert claim is not None
        ref = FrameRef(CAMERA, 0, seq, seq / 25, captured_ns, frames.head, SIZE_WH)
        slot.write_ref(claim.view, ref)
        slot.pixels(claim.view, SIZE_WH)[:] = grey
        claim.publish()
        visits = tuple(
            Visit(name, captured_ns + n * 2_000_000, captured_ns + n * 2_000_000 + 1_000_000)
            for n, name in enumerate(STAGES)
        )
        ref = FrameRef(*(getattr(ref, name) for name in ref.__dataclass_fields__ if name != "visits"), visits)
        self._publish("identities", Identities(ref, SPACE, tuple(faces)))
        self._publish("shown", Shown(ref, len(faces), tuple(one.name for one in faces if one.name)))

    def _publish(self, ring: str, record: Identities | Shown) -> None:
        claim = self._writers[ring].claim()
        assert claim is not None
        slot.write_record(claim.view, record)
        claim.publish()

    def tell(self, **event: object) -> None:
        """An event that is stored."""
        self.log.append({"type": "identity", "camera": CAMERA, "t": utc_iso(), **event})
        Reception(self.store, self.log.path).take_all()

    def add_unknown(self, n: int = 7) -> str:
        made = np.random.default_rng(n).normal(size=DIM)
        shot = Shot((made / np.linalg.norm(made)).astype(np.float32), utc_iso(), 0.7, picture(n).cutout)
        sighting = Sighting(f"00000000-0000-4000-8000-{n:012d}", "", CAMERA, f"{CAMERA}/1/{n}", shot.time, shot.time)
        return self.unknowns.keep(sighting, [shot], SPACE)

    @contextmanager
    def serving(self) -> Iterator[str]:
        """Its address, at a real port."""
        listening = socket.create_server(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(self.app, log_config=None, ws="none", timeout_graceful_shutdown=1))
        thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join()
        listening.close()

    @contextmanager
    def client(self) -> Iterator[httpx.Client]:
        with self.serving() as address, httpx.Client(base_url=address, timeout=60) as client:
            yield client

    def close(self) -> None:
        self.state.watching.close()
        self.state.gallery.close()
        self.unknowns.close()
        self.served.close()
        self.log.close()
        for ring in self.rings.values():
            ring.close()
        self.board.close()
        self._bell.close()


class Browser:
    """A client that is logged in as a page is, and sends what a page sends."""

    def __init__(self, client: httpx.Client, password: str | None = None) -> None:
        self.client = client
        self.session = client.get("/api/session").json()
        if password is not None:
            self.session = client.post("/api/login", json={"password": password}).json()

    def send(self, method: str, path: str, **more: Any) -> httpx.Response:
        headers = {"X-CSRF-Token": self.session["csrf"] or "", **more.pop("headers", {})}
        return self.client.request(method, path, headers=headers, **more)
