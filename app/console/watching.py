"""Looks on at the pipeline: the faces and frames of each camera, and the frames that reach their end.

A thread that copies what it sees out of shared memory and holds nothing (`pipeline.onlooker`). It encodes pictures
only of cameras that somebody looks at, and no faster than people can see.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass

from app.console.figures import Figures
from app.console.live import Live, sight_of
from pipeline.clock import now_ns
from pipeline.config import CameraConfig
from pipeline.messages import Frame, FrameRef, Identities, Shown
from pipeline.onlooker import Onlooker
from pipeline.ring import Ring

_BUSY_S = 0.01
_QUIET_S = 0.1


@dataclass(frozen=True, slots=True)
class Captured:
    """What a camera gave last. frame: None when there is none yet; ended: it will give no more"""

    frame: FrameRef | None
    ended: bool
    age_s: float | None


class Watching:
    def __init__(
        self, rings: Mapping[str, Ring], cameras: tuple[CameraConfig, ...], live: Live, figures: Figures, *, fps: float
    ) -> None:
        self.cameras = cameras
        self._live = live
        self._figures = figures
        self._every_ns = round(1e9 / fps)
        self._frames = {camera.name: Onlooker(rings[f"frames:{camera.name}"]) for camera in cameras}
        self._identities = Onlooker(rings["identities"])
        self._shown = Onlooker(rings["shown"])
        self._all = {name: (Onlooker(ring), ring.spec.readers) for name, ring in rings.items()}
        self._after = {"identities": 0, "shown": 0}
        self._newest: dict[str, Identities] = {}
        self._captured: dict[str, FrameRef] = {}
        self._sent: dict[str, tuple[int, int]] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="watching", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        self._thread.join()
        for onlooker in (*self._frames.values(), self._identities, self._shown, *(o for o, _ in self._all.values())):
            onlooker.close()

    @property
    def well(self) -> bool:
        return self._thread.is_alive()

    def look(self, camera: str) -> tuple[Frame, Identities] | None:
        """The newest frame that the faces are known of and that is still there."""
        identities = self._newest.get(camera)
        frame = None if identities is None else self._frames[camera].frame(identities.ref)
        return None if frame is None or identities is None else (frame, identities)

    def newest(self, camera: str) -> Frame | None:
        """The newest frame, whatever is known of it; None when there is none."""
        ref = self.captured(camera).frame
        return None if ref is None else self._frames[camera].frame(ref)

    def faces(self, camera: str) -> Identities | None:
        return self._newest.get(camera)

    def captured(self, camera: str) -> Captured:
        onlooker = self._frames[camera]
        ref = onlooker.newest_ref() or self._captured.get(camera)
        if ref is None:
            return Captured(None, onlooker.header.closed, None)
        self._captured[camera] = ref
        return Captured(ref, onlooker.header.closed, max(0.0, (now_ns() - ref.captured_ns) / 1e9))

    def frames_captured(self) -> dict[str, int]:
        return {name: onlooker.header.head for name, onlooker in self._frames.items()}

    def dropped(self) -> dict[str, int]:
        """Stage → frames that it never saw, or that were gone when it looked."""
        counts: dict[str, int] = {}
        for onlooker, readers in self._all.values():
            for reader in readers:
                counts[reader] = counts.get(reader, 0) + onlooker.header.dropped(reader)
        return counts

    def _work(self) -> None:
        while not self._stop.wait(_BUSY_S if self._live.followers else _QUIET_S):
            self._follow()

    def _follow(self) -> None:
        shown = [record for record in self._since("shown", self._shown) if isinstance(record, Shown)]
        self._figures.add(shown)
        for record in self._since("identities", self._identities):
            if isinstance(record, Identities):
                self._newest[record.ref.camera] = record
        for camera in self._frames:
            self._show(camera)

    def _since(self, topic: str, onlooker: Onlooker) -> list[object]:
        found = onlooker.since(self._after[topic])
        if found:
            self._after[topic] = found[-1][0] + 1
        return [record for _, record in found]

    def _show(self, camera: str) -> None:
        """To those who look, each frame once."""
        wanted = self._live.wanted(camera)
        identities = self._newest.get(camera)
        sent_position, sent_ns = self._sent.get(camera, (-1, 0))
        if not wanted or identities is None or identities.ref.position == sent_position:
            return
        if now_ns() - sent_ns < self._every_ns:
            return
        frame = self._frames[camera].frame(identities.ref)
        if frame is None:
            return
        self._sent[camera] = (identities.ref.position, now_ns())
        for drawn in wanted:  # without boxes first: they are drawn into the frame
            self._live.put(sight_of(frame, identities, drawn=drawn))
