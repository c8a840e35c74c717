"""A network camera or stream: RTSP, HTTP with MJPEG, HLS, and what else FFmpeg reads from an address."""

from __future__ import annotations

from pipeline.config import CameraConfig
from pipeline.live_video import LiveVideo
from pipeline.sources.live import LiveSource
from pipeline.stage import StageContext

_OF_THE_DEADLINE = 0.9  # so that the stream's own end is told before the parent kills what may hang


def stream_source(camera: CameraConfig, context: StageContext) -> LiveSource:
    config = context.config.capture
    stall_s = context.config.supervise.camera_timeout_s * _OF_THE_DEADLINE

    def connect() -> LiveVideo:
        return LiveVideo(camera, open_timeout_s=config.open_timeout_s, stall_s=stall_s)

    return LiveSource(camera, config, context, connect)
