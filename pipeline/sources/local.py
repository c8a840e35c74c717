"""Cameras at this machine and GStreamer pipelines, through OpenCV. The only file that knows cv2.VideoCapture."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from checkpoints.errors import SourceError
from pipeline.clock import now_ns
from pipeline.config import CameraConfig, CaptureConfig
from pipeline.sources.feed import Publisher, working_size
from pipeline.topic import FrameOutbox, Pulse

GST = "gst:"


class CameraSource:
    """A camera at this machine, or a GStreamer pipeline."""

    def __init__(self, camera: CameraConfig, config: CaptureConfig) -> None:
        self._which = camera
        self._config = config
        self._device = LocalCamera(camera, config.size_wh)

    def run(self, out: FrameOutbox, pulse: Pulse) -> None:
        publisher = Publisher(self._which, self._config, out, pulse)
        publisher.epoch += 1 if out.last else 0
        size_wh = working_size(self._device.size_wh, self._config.size_wh)
        began_ns = now_ns()
        while not publisher.done:
            pulse.beat()
            picture = self._device.read()
            captured_ns = now_ns()
            if picture is None:
                raise ConnectionError(f"camera {self._which.name} gives no more pictures")
            pts_s = (captured_ns - began_ns) / 1e9
            publisher.publish(size_wh, pts_s, captured_ns, partial(LocalCamera.fill, picture))

    def close(self) -> None:
        self._device.close()


class LocalCamera:
    def __init__(self, camera: CameraConfig, size_wh: tuple[int, int] | None) -> None:
        self._camera = camera
        if camera.source.startswith(GST):
            self._capture = _open_pipeline(camera)
        else:
            self._capture = _open_index(camera, size_wh)
        width = int(self._capture.get(cv2.CAP_PROP_FRAME_WIDTH))
        height = int(self._capture.get(cv2.CAP_PROP_FRAME_HEIGHT))
        self.size_wh = (width, height)

    def read(self) -> NDArray[np.uint8] | None:
        """The next picture; None when the camera gives no more. May wait for ever: the parent watches."""
        ok, image = self._capture.read()
        return np.asarray(image, np.uint8) if ok else None

    @staticmethod
    def fill(image_bgr: NDArray[np.uint8], out: NDArray[np.uint8]) -> None:
        if image_bgr.shape == out.shape:
            np.copyto(out, image_bgr)
        else:
            cv2.resize(image_bgr, (out.shape[1], out.shape[0]), dst=out, interpolation=cv2.INTER_AREA)

    def close(self) -> None:
        self._capture.release()


def _open_index(camera: CameraConfig, size_wh: tuple[int, int] | None) -> cv2.VideoCapture:
    index = int(camera.source)
    device = Path(f"/dev/video{index}")
    if sys.platform == "linux" and not device.exists():
        raise _no_camera(camera, f"{device} does not exist")
    capture = cv2.VideoCapture(index)
    if not capture.isOpened():
        capture.release()
        raise _no_camera(camera, "it is there but cannot be opened")
    if size_wh is not None:
        capture.set(cv2.CAP_PROP_FRAME_WIDTH, size_wh[0])
        capture.set(cv2.CAP_PROP_FRAME_HEIGHT, size_wh[1])
    return capture


def _no_camera(camera: CameraConfig, why: str) -> SourceError:
    found = sorted(str(path) for path in Path("/dev").glob("video*"))
    there = f"cameras found: {', '.join(found)}" if found else "no camera was found on this machine"
    return SourceError(
        "The camera cannot be opened.",
        saw=f"--source {camera.shown}: {why}; {there}",
        fix="plug it in, close the program that uses it, or give another --source (demo needs no camera)",
    )


def _open_pipeline(camera: CameraConfig) -> cv2.VideoCapture:
    if "GStreamer:                   YES" not in cv2.getBuildInformation():
        raise SourceError(
            "This OpenCV was built without GStreamer.",
            saw=camera.shown,
            fix="use the OpenCV that JetPack brings, or an rtsp:// or http:// address",
        )
    capture = cv2.VideoCapture(camera.source.removeprefix(GST), cv2.CAP_GSTREAMER)
    if not capture.isOpened():
        capture.release()
        raise SourceError(
            "The GStreamer pipeline cannot be started.",
            saw=camera.shown,
            fix="try it with gst-launch-1.0; it must end in: videoconvert ! video/x-raw,format=BGR ! appsink",
        )
    return capture
