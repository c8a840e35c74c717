"""Video files through PyAV. FFmpeg is known here, in `live_video`, and in `film`, which writes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

import av
import av.error
import numpy as np
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation, VideoReformatter
from av.video.stream import VideoStream
from numpy.typing import NDArray

from checkpoints.errors import SourceError
from pipeline.config import CameraConfig
from pipeline.video_errors import reason

_SEEK_EARLIER_S = 2.0


class VideoReader:
    """One opened file. Errors name it as it may be shown.

    began_s   the time of its first picture; files that were cut out of a stream do not begin at 0
    length_s  0: it does not say
    """

    def __init__(self, camera: CameraConfig, *, content: BinaryIO | None = None) -> None:
        """content: the bytes, when they come from a place that FFmpeg does not know."""
        self._camera = camera
        try:
            self._container = av.open(content or camera.source, "r")
        except (av.error.FFmpegError, OSError, ValueError) as error:
            raise SourceError(
                "The file cannot be opened.",
                saw=f"{camera.shown}: {reason(error)}",
                fix="give a video file, such as .mp4",
            ) from error
        self._stream = first_video(self._container, camera)
        self._scaler = Scaler()
        self.fps = float(self._stream.average_rate or self._stream.guessed_rate or 25)
        self.frames_promised = self._stream.frames
        self.began_s = (self._container.start_time or 0) / av.time_base
        self.length_s = (self._container.duration or 0) / av.time_base
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
        self._scaler.fill(frame, out)

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
                self.broke = why = reason(error)
                break
            if packet is None:
                break
            try:
                frames = packet.decode()
                bad += packet.is_corrupt
            except av.error.InvalidDataError as error:
                bad, why = bad + 1, reason(error)
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


class Scaler:
    """Keeps FFmpeg's scaler between pictures of one size."""

    def __init__(self) -> None:
        self._scaler = VideoReformatter()

    def fill(self, frame: VideoFrame, out: NDArray[np.uint8]) -> None:
        """Scale and convert into (H, W, 3) BGR."""
        height, width = out.shape[:2]
        plane = self._scaler.reformat(frame, width, height, "bgr24", interpolation=Interpolation.BILINEAR).planes[0]
        rows: NDArray[np.uint8] = np.frombuffer(memoryview(plane), np.uint8).reshape(height, plane.line_size)
        np.copyto(out.reshape(height, width * 3), rows[:, : width * 3])


def first_video(container: InputContainer, camera: CameraConfig) -> VideoStream:
    """The stream that is watched; closes the container when there is none."""
    if not container.streams.video:
        container.close()
        raise SourceError("There is no video in this source.", saw=camera.shown, fix="give one with a video track")
    stream = container.streams.video[0]
    # One thread: the other cores have work of their own, and frame threads would add a frame of delay each.
    stream.thread_count = 1
    return stream
