from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from checkpoints.errors import SourceError
from pipeline.config import CameraConfig
from pipeline.sources.local import LocalCamera, fill


def test_a_camera_that_is_not_there_is_a_clear_error() -> None:
    if Path("/dev/video63").exists():
        pytest.skip("this machine has 64 cameras")
    with pytest.raises(SourceError, match="camera"):
        LocalCamera(CameraConfig("63", "63", "63"), None)


@pytest.mark.skipif("YES" in cv2.getBuildInformation().partition("GStreamer:")[2][:30], reason="OpenCV has GStreamer")
def test_without_gstreamer_a_pipeline_is_a_clear_error() -> None:
    with pytest.raises(SourceError, match="without GStreamer"):
        LocalCamera(CameraConfig("gst", "gst:videotestsrc ! appsink", "gst:videotestsrc ! appsink"), None)


def test_a_picture_is_scaled_to_the_working_size() -> None:
    image = np.full((120, 160, 3), 50, np.uint8)
    small, same = np.zeros((60, 80, 3), np.uint8), np.zeros_like(image)
    fill(image, small)
    fill(image, same)
    assert (small == 50).all()
    assert (same == 50).all()
