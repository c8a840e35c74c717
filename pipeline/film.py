"""Pictures into video files: H.264 in fragmented MP4, of which whatever was written stays playable.

Encoding and writing are two things, so that one encoder serves a recording and the clips that begin before they are
asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import av.error
import numpy as np
from av.codec.context import Flags
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from checkpoints.errors import OutputError
from pipeline.video_errors import reason

BASE = Fraction(1, 90_000)
# No frame waits for a later one, so that a film is never more than a fragment behind.
_H264 = {"preset": "veryfast", "crf": "23", "tune": "zerolatency"}
_FRAGMENTED = {
    "movflags": "frag_keyframe+empty_moov+default_base_moof",
    "frag_duration": "1000000",  # microseconds: a slow camera has few key frames
    "flush_packets": "1",
}


@dataclass(frozen=True, slots=True)
class Encoded:
    """A frame in H.264. at: in units of BASE"""

    data: bytes
    at: int
    is_key: bool


class Encoder:
    """Of pictures of one size, whose odd row or column is left out."""

    def __init__(self, size_wh: tuple[int, int], fps: float) -> None:
        self.size_wh = size_wh[0] & ~1, size_wh[1] & ~1
        self.fps = fps
        self._codec = _fitted(VideoCodecContext.create("libx264", "w"), self.size_wh, fps)
        self._codec.flags |= Flags.global_header
        self._last_at = -1

    def encode(self, image_bgr: NDArray[np.uint8], at_s: float) -> list[Encoded]:
        width, height = self.size_wh
        frame = VideoFrame.from_ndarray(np.ascontiguousarray(image_bgr[:height, :width]), format="bgr24")
        self._last_at = max(self._last_at + 1, round(at_s / BASE))
        frame.pts, frame.time_base = self._last_at, BASE
        return self._packets(frame)

    def finish(self) -> list[Encoded]:
        return self._packets(None)

    def _packets(self, frame: VideoFrame | None) -> list[Encoded]:
        return [Encoded(bytes(one), one.pts or 0, one.is_keyframe) for one in self._codec.encode(frame)]


class Film:
    """A file of what an encoder gave, from one of its key frames on; its first frame is at 0. OutputError when it
    cannot be written."""

    def __init__(self, path: Path, encoder: Encoder, *, began: str = "", flag: str = "--record") -> None:
        """began: UTC, ISO 8601, for players to show"""
        self.path = path
        self._first_at: int | None = None
        try:
            self._container = av.open(str(path), "w", format="mp4", options=_FRAGMENTED)
            if began:
                self._container.metadata["creation_time"] = began
            # It encodes nothing: an encoder with the same settings knows what stands in the file's head.
            self._stream = self._container.add_stream("libx264", rate=Fraction(encoder.fps).limit_denominator(1000))
            _fitted(self._stream.codec_context, encoder.size_wh, encoder.fps)
            self._stream.time_base = BASE
            self._container.start_encoding()  # opens the file now, and not at the first picture
        except (av.error.FFmpegError, OSError, ValueError) as error:
            raise OutputError(
                "The recording cannot be written.",
                saw=f"{flag} {path}: {reason(error)}",
                fix="give a writable .mp4 file",
            ) from error

    def write(self, encoded: Encoded) -> None:
        """OutputError when the disk is full or gone; what came before stays readable."""
        if self._first_at is None:
            self._first_at = encoded.at
        packet = av.Packet(encoded.data)
        packet.stream = self._stream
        packet.pts = packet.dts = encoded.at - self._first_at
        packet.time_base = BASE
        packet.is_keyframe = encoded.is_key
        try:
            self._container.mux(packet)
        except (av.error.FFmpegError, OSError) as error:
            raise self._stopped(error) from error

    def close(self) -> None:
        try:
            self._container.close()
        except (av.error.FFmpegError, OSError) as error:
            raise self._stopped(error) from error

    def abandon(self) -> None:
        """After a failed write: let go of the file without another try to finish it."""
        try:
            self._container.close()
        except (av.error.FFmpegError, OSError):
            return  # it says again what was said at the write

    def _stopped(self, error: Exception) -> OutputError:
        return OutputError("The recording stopped.", saw=f"{self.path}: {reason(error)}", fix="make room on the disk")


class OneFilm:
    """Who writes one film after the other."""

    def __init__(self) -> None:
        self._film: Film | None = None

    def close(self) -> None:
        if self._film is not None:
            film, self._film = self._film, None
            film.close()

    def abandon(self) -> None:
        if self._film is not None:
            self._film.abandon()
            self._film = None


class VideoWriter:
    """Pictures straight into one file."""

    def __init__(self, path: Path, size_wh: tuple[int, int], fps: float) -> None:
        self._encoder = Encoder(size_wh, fps)
        self._film = Film(path, self._encoder)

    def write(self, image_bgr: NDArray[np.uint8], at_s: float) -> None:
        for encoded in self._encoder.encode(image_bgr, at_s):
            self._film.write(encoded)

    def close(self) -> None:
        for encoded in self._encoder.finish():
            self._film.write(encoded)
        self._film.close()

    def abandon(self) -> None:
        self._film.abandon()


def _fitted(codec: VideoCodecContext, size_wh: tuple[int, int], fps: float) -> VideoCodecContext:
    codec.width, codec.height = size_wh
    codec.pix_fmt = "yuv420p"
    codec.thread_count = 1
    codec.time_base = BASE
    codec.framerate = Fraction(fps).limit_denominator(1000)
    codec.gop_size = max(1, round(fps))
    codec.options = dict(_H264)
    return codec
