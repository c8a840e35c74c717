"""Cameras at this machine and GStreamer pipelines, through OpenCV. The only file that knows cv2.VideoCapture."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from checkpoints.errors import HungUp, SourceError
from pipeline.config import CameraConfig
from pipeline.sources.connection import Picture
from pipeline.sources.live import LiveSource
from pipeline.sources.ready_pipelines import GST, pipeline_of
from pipeline.stage import StageContext


def local_source(camera: CameraConfig, context: StageContext) -> LiveSource:
    config = context.config.capture
    size_wh = camera.size_wh or config.size_wh
    return LiveSource(camera, config, context, lambda: LocalCamera(camera, size_wh))


class LocalCamera:
    """A camera at this machine, or a GStreamer pipeline. Reading may wait for ever: the parent watches."""

    finite = False
    bursts = False

    def __init__(self, camera: CameraConfig, size_wh: tuple[int, int] | None) -> None:
        self._camera = camera
        if camera.source.startswith(GST):
            self._capture = _open_pipeline(camera, size_wh)
        else:
            self._capture = _open_device(camera, size_wh)

    def pictures(self) -> Iterator[Picture]:
        while True:
            ok, image = self._capture.read()
            if not ok:
                raise HungUp(
                    "The camera gives no more pictures.",
                    saw=self._camera.shown,
                    fix="plug it in again; a USB camera may need a port or hub with more power",
                )
            image_bgr = np.asarray(image, np.uint8)
            height, width = image_bgr.shape[:2]
            yield Picture((width, height), None, partial(fill, image_bgr))

    def close(self) -> None:
        self._capture.release()


def fill(image_bgr: NDArray[np.uint8], out: NDArray[np.uint8]) -> None:
    if image_bgr.shape == out.shape:
        np.copyto(out, image_bgr)
    else:
        cv2.resize(image_bgr, (out.shape[1], out.shape[0]), dst=out, interpolation=cv2.INTER_AREA)


def _open_device(camera: CameraConfig, size_wh: tuple[int, int] | None) -> cv2.VideoCapture:
    device = Path(f"/dev/video{camera.source}" if camera.source.isdigit() else camera.source)
    if sys.platform == "linux" and not device.exists():
        raise _no_camera(camera, f"{device} does not exist")
    capture = cv2.VideoCapture(int(camera.source) if camera.source.isdigit() else camera.source)
    if not capture.isOpened():
        capture.release()
        raise _no_camera(camera, "it is there but cannot be opened")
    if camera.pixel_format is not None:  # before the size: most cameras give large pictures only as MJPG
        capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*camera.pixel_format))
    if size_wh is not None:
        capture.set(cv2.CAP_PROP_FRAME_WIDTH, size_wh[0])
        capture.set(cv2.CAP_PROP_FRAME_HEIGHT, size_wh[1])
    if camera.fps is not None:
        capture.set(cv2.CAP_PROP_FPS, camera.fps)
    capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)  # an old picture is of no use
    return capture


def _no_camera(camera: CameraConfig, why: str) -> SourceError:
    found = sorted(str(path) for path in Path("/dev").glob("video*"))
    there = f"cameras found: {', '.join(found)}" if found else "no camera was found on this machine"
    return SourceError(
        "The camera cannot be opened.",
        saw=f"--source {camera.shown}: {why}; {there}",
        fix="plug it in, close the program that uses it, or give another --source (demo needs no camera)",
    )


def _open_pipeline(camera: CameraConfig, size_wh: tuple[int, int] | None) -> cv2.VideoCapture:
    if "GStreamer:                   YES" not in cv2.getBuildInformation():
        raise SourceError(
            "This OpenCV was built without GStreamer.",
            saw=camera.shown,
            fix="use the OpenCV that JetPack brings, or an rtsp:// or http:// address",
        )
    pipeline = pipeline_of(camera.source, size_wh=size_wh, fps=camera.fps, transport=camera.transport)
    capture = cv2.VideoCapture(pipeline, cv2.CAP_GSTREAMER)
    if not capture.isOpened():
        capture.release()
        raise SourceError(
            "The GStreamer pipeline cannot be started.",
            saw=camera.shown,
            fix="try it with gst-launch-1.0; it must end in: videoconvert ! video/x-raw,format=BGR ! appsink",
        )
    return capture
