"""Video through PyAV: files and streams read, recordings written. The only file that knows FFmpeg."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import av.error
import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation, VideoReformatter
from numpy.typing import NDArray

from checkpoints.errors import OutputError, SourceError
from pipeline.config import CameraConfig

_SEEK_EARLIER_S = 2.0
# No frame waits for a later one, so that a recording is never more than a fragment behind.
_H264 = {"preset": "veryfast", "crf": "23", "tune": "zerolatency"}
_FRAGMENTED = {"movflags": "frag_keyframe+empty_moov+default_base_moof", "flush_packets": "1"}


class VideoReader:
    """One opened file or stream. Errors name the source as it may be shown."""

    def __init__(self, camera: CameraConfig, *, live: bool, timeout_s: float) -> None:
        self._camera = camera
        # A camera is joined at once, without its first second; elsewhere that would be the beginning of the video.
        rtsp = camera.source.lower().startswith("rtsp")
        options = {"rtsp_transport": "tcp", "fflags": "nobuffer"} if rtsp else {}
        try:
            self._container = av.open(camera.source, options=options, timeout=timeout_s if live else None)
        except (av.error.FFmpegError, OSError, ValueError) as error:
            raise SourceError(
                f"{'The stream' if live else 'The file'} cannot be opened.",
                saw=f"{camera.shown}: {_reason(error)}",
                fix="check the address, the camera and its password" if live else "give a video file, such as .mp4",
            ) from error
        if not self._container.streams.video:
            self._container.close()
            raise SourceError("There is no video in this source.", saw=camera.shown, fix="give one with a video track")
        self._stream = self._container.streams.video[0]
        # One thread: the other cores have work of their own, and frame threads would add a frame of delay each.
        self._stream.thread_count = 1
        self._scaler = VideoReformatter()
        self.fps = float(self._stream.average_rate or self._stream.guessed_rate or 25)
        self.finite = self._container.duration is not None
        self.frames_promised = self._stream.frames
        self.size_wh = (self._stream.codec_context.width, self._stream.codec_context.height)
        self.broke: str | None = None

    def frames(self, *, after_s: float | None = None) -> Iterator[tuple[float, VideoFrame]]:
        """(time in the stream, picture), from the first one after `after_s`. Ends at the end, or where it `broke`."""
        if after_s is not None:
            self._seek(after_s - _SEEK_EARLIER_S)
        for index, frame in self._decoded():
            at_s = frame.time if frame.time is not None else index / self.fps
            if after_s is None or at_s > after_s + 1e-6:
                yield at_s, frame

    def fill(self, frame: VideoFrame, out: NDArray[np.uint8]) -> None:
        """Scale and convert into (H, W, 3) BGR."""
        height, width = out.shape[:2]
        plane = self._scaler.reformat(frame, width, height, "bgr24", interpolation=Interpolation.BILINEAR).planes[0]
        rows: NDArray[np.uint8] = np.frombuffer(memoryview(plane), np.uint8).reshape(height, plane.line_size)
        np.copyto(out.reshape(height, width * 3), rows[:, : width * 3])

    def close(self) -> None:
        self._container.close()

    def _seek(self, to_s: float) -> None:
        if to_s <= 0:
            return
        try:
            self._container.seek(int(to_s * 1_000_000), backward=True)
        except av.error.FFmpegError:
            self._container.seek(0)  # cannot jump: decode from the start and skip

    def _decoded(self) -> Iterator[tuple[int, VideoFrame]]:
        """Skips what cannot be decoded, and remembers in `broke` that there was some."""
        index, bad, why = -1, 0, "nothing was decoded"
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets, None)
            except (av.error.FFmpegError, OSError) as error:
                self.broke = why = _reason(error)
                break
            if packet is None:
                break
            try:
                frames = packet.decode()
                bad += packet.is_corrupt
            except av.error.InvalidDataError as error:
                bad, why = bad + 1, _reason(error)
                continue
            for frame in frames:
                index += 1
                yield index, frame
        if bad and not self.broke:
            self.broke = f"{bad} packets are broken"
        if index < 0:
            raise SourceError(
                "The video cannot be decoded.",
                saw=f"{self._camera.shown}: {why}",
                fix="check that other programs play it",
            )


def _reason(error: Exception) -> str:
    # FFmpeg's own text names the address, with its password.
    if isinstance(error, (OSError, av.error.FFmpegError)) and error.strerror:
        return str(error.strerror)
    return str(error) or type(error).__name__


class VideoWriter:
    """H.264 in fragmented MP4: what was written stays playable whatever happens to the writer."""

    def __init__(self, path: Path, size_wh: tuple[int, int], fps: float) -> None:
        self.path = path
        self._base = Fraction(1, 90_000)
        self._last_pts = -1
        try:
            self._container = av.open(str(path), "w", format="mp4", options=_FRAGMENTED)
            rate = Fraction(fps).limit_denominator(1000)
            self._stream = self._container.add_stream("libx264", rate=rate, options=_H264)
            self._stream.width, self._stream.height = size_wh[0] & ~1, size_wh[1] & ~1
            self._stream.pix_fmt = "yuv420p"
            self._stream.thread_count = 1
            self._stream.time_base = self._stream.codec_context.time_base = self._base
            self._stream.codec_context.gop_size = max(1, round(fps))
            self._container.start_encoding()  # opens the file now, and not at the first picture
        except (av.error.FFmpegError, OSError, ValueError) as error:
            raise OutputError(
                "The recording cannot be written.",
                saw=f"--record {path}: {_reason(error)}",
                fix="give a writable .mp4 file",
            ) from error

    def write(self, image_bgr: NDArray[np.uint8], at_s: float) -> None:
        """Raises OutputError when the disk is full or gone; what came before stays readable."""
        height, width = self._stream.height, self._stream.width
        frame = VideoFrame.from_ndarray(np.ascontiguousarray(image_bgr[:height, :width]), format="bgr24")
        self._last_pts = max(self._last_pts + 1, round(at_s / self._base))
        frame.pts, frame.time_base = self._last_pts, self._base
        self._mux(frame)

    def close(self) -> None:
        try:
            self._mux(None)
        finally:
            self._container.close()

    def abandon(self) -> None:
        """After a failed write: let go of the file without another try to finish it."""
        try:
            self._container.close()
        except (av.error.FFmpegError, OSError):
            return  # it says again what was said at the write

    def _mux(self, frame: VideoFrame | None) -> None:
        try:
            for packet in self._stream.encode(frame):
                self._container.mux(packet)
        except (av.error.FFmpegError, OSError) as error:
            raise OutputError(
                "The recording stopped.", saw=f"{self.path}: {_reason(error)}", fix="make room on the disk"
            ) from error
