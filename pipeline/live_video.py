"""A live stream through PyAV: what comes is decoded at once, and what has become old is not shown."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import av
import av.error
from av.packet import Packet
from av.video.stream import VideoStream

from checkpoints.errors import SourceError
from pipeline import video_errors
from pipeline.clock import now_ns
from pipeline.config import CameraConfig
from pipeline.sources.backlog import Backlog, waits
from pipeline.sources.connection import Picture
from pipeline.video import Scaler, first_video

_PROBE_S = 0.5  # of a stream are enough to know what is in it


class LiveVideo:
    """stall_s  without a picture after which the camera counts as lost

    Segments of HLS are read one after the other as their pictures fall due, three behind the newest, so that the next
    one is there when one has been shown.
    """

    def __init__(self, camera: CameraConfig, *, open_timeout_s: float, stall_s: float) -> None:
        self._camera = camera
        self._stall_s = stall_s
        asked_ns = now_ns()
        try:
            self._container = av.open(camera.source, options=_options(camera), timeout=(open_timeout_s, stall_s))
        except (av.error.FFmpegError, OSError, ValueError) as error:
            if now_ns() - asked_ns > open_timeout_s * 1e9:  # FFmpeg tells something else then
                raise video_errors.unreachable(camera.shown, f"no answer for {open_timeout_s:.0f} s") from error
            raise video_errors.explained(error, camera.shown, open_timeout_s, opened=False) from error
        self._stream = first_video(self._container, camera)
        self._scaler = Scaler()
        self._backlog = Backlog()
        self._needs_key_frame = False
        self.finite = self._container.duration is not None and not _is_rtsp(camera)
        self.bursts = self._container.format.name == "hls" and not self.finite
        self._may_lag = not self.finite and not self.bursts  # in the network's buffers

    def pictures(self) -> Iterator[Picture]:
        shown_ns, failed = now_ns(), ""
        for packet in self._packets():
            try:
                frames = packet.decode() if self._is_wanted(packet) else []
            except av.error.FFmpegError as error:
                frames, failed = [], video_errors.reason(error)
            for frame in frames:
                if not self._may_lag or self._backlog.worth_publishing(now_ns()):
                    yield Picture((frame.width, frame.height), frame.time, partial(self._scaler.fill, frame))
                shown_ns = now_ns()
            if now_ns() - shown_ns > self._stall_s * 1e9:
                raise self._without_pictures(failed)

    def close(self) -> None:
        self._container.close()

    def _packets(self) -> Iterator[Packet[VideoStream]]:
        packets = self._container.demux(self._stream)
        while True:
            before, asked_ns = waits(), now_ns()
            try:
                packet = next(packets, None)
            except (av.error.FFmpegError, OSError) as error:
                raise video_errors.explained(error, self._camera.shown, self._stall_s, opened=True) from error
            if packet is None:
                return
            if now_ns() - asked_ns > self._stall_s * 1e9 and not self.finite:
                raise video_errors.stalled(self._camera.shown, self._stall_s)  # FFmpeg then gives what it still holds
            self._backlog.read(waited=waits() > before, now_ns=now_ns())
            yield packet

    def _is_wanted(self, packet: Packet[VideoStream]) -> bool:
        """Not, if it would only be decoded to be old. What follows on a gap cannot be decoded before a key frame."""
        if self._may_lag and self._backlog.haste(now_ns()) == "key frames":
            self._needs_key_frame = True
        if self._needs_key_frame and not packet.is_keyframe:
            return packet.dts is None and packet.size == 0  # the end: the decoder gives what it still holds
        self._needs_key_frame = False
        return True

    def _without_pictures(self, failed: str) -> SourceError:
        if not failed:
            return video_errors.stalled(self._camera.shown, self._stall_s)
        return video_errors.not_decodable(self._camera.shown, failed)


def _is_rtsp(camera: CameraConfig) -> bool:
    """Some such cameras say how long they will go on; what ends all the same has been lost."""
    return camera.source.lower().startswith("rtsp")


def _options(camera: CameraConfig) -> dict[str, str]:
    """FFmpeg would look at a stream for five seconds before it gives the first picture."""
    options = {"fpsprobesize": "0", "analyzeduration": str(round(_PROBE_S * 1e6))}
    if _is_rtsp(camera):
        options |= {"rtsp_transport": camera.transport, "allowed_media_types": "video"}
    return options
