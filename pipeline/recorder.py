"""--record and --clips: video files for each camera, with the stream's own times. One encoder serves both."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline import events
from pipeline.clips import Cutter, Happenings, Tell
from pipeline.clock import utc_iso
from pipeline.config import ClipsConfig, RecordingsConfig
from pipeline.file_names import safe
from pipeline.film import Encoded, Encoder, Film
from pipeline.messages import FrameRef, NamedFace
from pipeline.recordings import Recording

NOMINAL_FPS = 25.0


@dataclass(frozen=True, slots=True)
class _Reel:
    """One camera's, as long as its pictures are of one size."""

    size_wh: tuple[int, int]
    encoder: Encoder
    film: Film | None
    recording: Recording | None
    cutter: Cutter | None


class Recorder:
    """path   stands for all: with several cameras each gets its name in it, after a restart each part its number
    recordings, clips  None: there are none
    live   frames come at their own pace, so that a gap between two epochs took as long as the clock says
    tell   is given events about clips

    Every call raises OutputError when a file cannot be written.
    """

    def __init__(
        self,
        path: Path | None,
        *,
        cameras: int,
        generation: int,
        live: bool = False,
        recordings: RecordingsConfig | None = None,
        clips: ClipsConfig | None = None,
        tell: Tell | None = None,
    ) -> None:
        self._path = path
        self._cameras = cameras
        self._generation = generation
        self._live = live
        self._recordings = recordings
        self._clips = clips
        self._tell = tell or _tell_nobody
        self._happenings = Happenings()
        self._reels: dict[str, _Reel] = {}
        self._zero_s: dict[str, float] = {}
        self._last: dict[str, tuple[FrameRef, float]] = {}

    def write(self, ref: FrameRef, image_bgr: NDArray[np.uint8], faces: tuple[NamedFace, ...] = ()) -> None:
        reel = self._reel(ref)
        for encoded in reel.encoder.encode(image_bgr, self._time(ref)):
            _keep(reel, encoded, ref.captured_ns)
        if reel.cutter is not None:
            for face in self._happenings.new(ref, faces):
                reel.cutter.notice(events.event_id(ref.camera, ref.seq, face.track), ref)

    def close(self) -> None:
        for camera in list(self._reels):
            self._close(camera)

    def abandon(self) -> None:
        for reel in self._reels.values():
            for each in (reel.film, reel.recording, reel.cutter):
                if each is not None:
                    each.abandon()
        self._reels.clear()

    def _close(self, camera: str) -> None:
        reel = self._reels.pop(camera)
        for encoded in reel.encoder.finish():
            _keep(reel, encoded, self._last[camera][0].captured_ns)
        for each in (reel.film, reel.recording, reel.cutter):
            if each is not None:
                each.close()

    def _reel(self, ref: FrameRef) -> _Reel:
        """Pictures of another size go into another file."""
        reel = self._reels.get(ref.camera)
        if reel is not None and reel.size_wh == ref.size_wh:
            return reel
        is_first = reel is None
        if reel is not None:
            self._close(ref.camera)
        encoder = Encoder(ref.size_wh, NOMINAL_FPS)
        film = None
        if self._path is not None:
            path = part_of(
                self._path, ref.camera if self._cameras > 1 else "", is_first=is_first and not self._generation
            )
            film = Film(path, encoder, began=utc_iso(ref.captured_ns))
        recording = Recording(self._recordings, ref.camera, encoder) if self._recordings is not None else None
        cutter = Cutter(self._clips, ref.camera, encoder, self._tell) if self._clips is not None else None
        self._reels[ref.camera] = made = _Reel(ref.size_wh, encoder, film, recording, cutter)
        return made

    def _time(self, ref: FrameRef) -> float:
        """Seconds since the camera's first frame; a new epoch follows on the last."""
        last, at_s = self._last.get(ref.camera, (None, 0.0))
        if last is None:
            self._zero_s[ref.camera] = ref.pts_s
        elif ref.epoch != last.epoch:
            gap_s = max(1 / NOMINAL_FPS, (ref.captured_ns - last.captured_ns) / 1e9 if self._live else 0.0)
            self._zero_s[ref.camera] = ref.pts_s - at_s - gap_s
        at_s = ref.pts_s - self._zero_s[ref.camera]
        self._last[ref.camera] = (ref, at_s)
        return at_s


def part_of(path: Path, camera: str, *, is_first: bool) -> Path:
    """Where the next part of a recording goes; only the first one may stand in the place of an older recording."""
    name = f"{path.stem}.{safe(camera)}" if camera else path.stem
    if is_first:
        return path.with_name(name + path.suffix)
    parts = (path.with_name(f"{name}.part{number}{path.suffix}") for number in count(2))
    return next(part for part in parts if not part.exists())


def _tell_nobody(_event: dict[str, object]) -> None:
    """There is no log."""


def _keep(reel: _Reel, encoded: Encoded, captured_ns: int) -> None:
    if reel.film is not None:
        reel.film.write(encoded)
    if reel.recording is not None:
        reel.recording.write(encoded, captured_ns)
    if reel.cutter is not None:
        reel.cutter.keep(encoded)
