"""The live picture: each camera's newest frame is encoded once, however many look, and the latest one wins.

A browser that is slow, or never reads, costs one picture of memory and misses pictures; it slows nobody.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from app.console.problem import Problem
from pipeline import overlay
from pipeline.clock import now_ns
from pipeline.messages import Frame, Identities, NamedFace

MOST_FOLLOWERS = 64
JPEG_QUALITY = 80
_ASLEEP_NS = 10_000_000_000  # who has not taken a picture for so long is no reason to encode more
_BOUNDARY = "facewire-frame"


@dataclass(frozen=True, slots=True)
class Sight:
    """A frame as it is sent. about: JSON in ASCII, for the header of its part"""

    camera: str
    drawn: bool
    jpeg: bytes
    about: str


Kind = tuple[str, bool]  # camera, whether boxes are drawn onto the picture


class Follower:
    """One browser's connection; used on the event loop only, but for `wants`."""

    def __init__(self, cameras: Sequence[str], *, drawn: bool) -> None:
        self.kinds = frozenset((camera, drawn) for camera in cameras)
        self._fresh: dict[Kind, Sight] = {}
        self._came = asyncio.Event()
        self._took_ns = now_ns()

    def wants(self, kind: Kind) -> bool:
        return kind in self.kinds and now_ns() - self._took_ns < _ASLEEP_NS

    def offer(self, sight: Sight) -> None:
        self._fresh[sight.camera, sight.drawn] = sight
        self._came.set()

    async def next(self) -> list[Sight]:
        """At most one of each camera."""
        self._took_ns = now_ns()
        await self._came.wait()
        self._came.clear()
        taken, self._fresh = list(self._fresh.values()), {}
        self._took_ns = now_ns()
        return taken


class Live:
    """Where the thread that looks on (`watching`) and the browsers' connections meet."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._followers: tuple[Follower, ...] = ()
        self._loop: asyncio.AbstractEventLoop | None = None

    @contextmanager
    def following(self, cameras: Sequence[str], *, drawn: bool) -> Iterator[Follower]:
        """To be used on the event loop."""
        follower = Follower(cameras, drawn=drawn)
        with self._lock:
            if len(self._followers) >= MOST_FOLLOWERS:
                raise Problem(
                    503, "Too many live pictures are open.", saw=str(MOST_FOLLOWERS), fix="close some of them"
                )
            self._loop = asyncio.get_running_loop()
            self._followers = (*self._followers, follower)
        try:
            yield follower
        finally:
            with self._lock:
                self._followers = tuple(one for one in self._followers if one is not follower)

    @property
    def followers(self) -> int:
        return len(self._followers)

    def wanted(self, camera: str) -> list[bool]:
        """The ways in which somebody wants this camera's next frame: with boxes drawn, without, both or none."""
        return [drawn for drawn in (False, True) if any(one.wants((camera, drawn)) for one in self._followers)]

    def put(self, sight: Sight) -> None:
        """From any thread."""
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._deliver, sight)

    def _deliver(self, sight: Sight) -> None:
        for follower in self._followers:
            if (sight.camera, sight.drawn) in follower.kinds:
                follower.offer(sight)


class LiveResponse(Response):
    """multipart/x-mixed-replace of these cameras, until the browser goes away."""

    media_type = f"multipart/x-mixed-replace; boundary={_BOUNDARY}"

    def __init__(self, live: Live, cameras: Sequence[str], *, drawn: bool) -> None:
        super().__init__()
        self._live = live
        self._cameras = cameras
        self._drawn = drawn
        del self.headers["content-length"]

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        with self._live.following(self._cameras, drawn=self._drawn) as follower:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            sending = asyncio.create_task(_send_all(follower, send))
            leaving = asyncio.create_task(_until_gone(receive))
            await asyncio.wait((sending, leaving), return_when=asyncio.FIRST_COMPLETED)
            for task in (sending, leaving):
                task.cancel()
            await asyncio.gather(sending, leaving, return_exceptions=True)


async def _send_all(follower: Follower, send: Send) -> None:
    while True:
        for sight in await follower.next():
            await send({"type": "http.response.body", "body": part_of(sight), "more_body": True})


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        continue


def part_of(sight: Sight) -> bytes:
    head = (
        f"--{_BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(sight.jpeg)}\r\n"
        f"X-Frame: {sight.about}\r\n\r\n"
    )
    return head.encode("ascii") + sight.jpeg + b"\r\n"


def sight_of(frame: Frame, identities: Identities, *, drawn: bool) -> Sight:
    """`drawn`: boxes and names are drawn into the frame itself."""
    if drawn:
        overlay.draw(frame.image_bgr, identities.faces, identities.expected)
    return Sight(
        frame.ref.camera, drawn, encoded(frame.image_bgr), json.dumps(about(identities), separators=(",", ":"))
    )


def encoded(image_bgr: NDArray[np.uint8]) -> bytes:
    _, jpeg = cv2.imencode(".jpg", image_bgr, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return jpeg.tobytes()


def about(identities: Identities) -> dict[str, object]:
    ref = identities.ref
    faces = [_face(face, expected=False) for face in identities.faces]
    faces += [_face(face, expected=True) for face in identities.expected]
    return {"camera": ref.camera, "seq": ref.seq, "size": list(ref.size_wh), "faces": faces}


def _face(face: NamedFace, *, expected: bool) -> dict[str, object]:
    return {
        "track": face.track,
        "box": [round(float(v), 1) for v in face.box_xyxy],
        "name": face.name,
        "state": face.state,
        "score": round(face.score, 3),
        "expected": expected,
    }
