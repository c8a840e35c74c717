from __future__ import annotations

from contextlib import ExitStack

import cv2
import numpy as np
import pytest

from pipeline.config import SuperviseConfig
from testbench import rtsp_process
from testbench.camera_faults import CAMERA
from testbench.camera_leaks import leaks, slope_kb
from testbench.camera_watch import CameraWatch, watched_system
from testbench.moment import age_ms, stamped_grey
from testbench.rtsp_process import RtspCamera

SIZE_WH = (320, 240)


@pytest.mark.parametrize("made_ms", [0, 1, 123_456_789, 2**32 - 1, 2**32 + 5])
def test_a_pictures_moment_survives_a_codec(made_ms: int) -> None:
    grey = np.frombuffer(stamped_grey(SIZE_WH, made_ms * 10**6), np.uint8).reshape(SIZE_WH[1], SIZE_WH[0])
    _, jpeg = cv2.imencode(".jpg", grey, [cv2.IMWRITE_JPEG_QUALITY, 50])
    seen = cv2.imdecode(jpeg, cv2.IMREAD_GRAYSCALE)
    assert age_ms(lambda row, column: float(seen[row, column]), SIZE_WH[0], (made_ms + 40) * 10**6) == 40


def test_the_slope_is_that_of_the_line() -> None:
    assert slope_kb([1.0, 1.5, 2.0, 2.5]) == (500.0, 0.0)
    slope, error = slope_kb([1.0, 1.1, 1.0, 1.1, 1.0, 1.1])
    assert abs(slope) < 2 * error


@pytest.mark.skipif(not rtsp_process.is_there(), reason=f"needs {rtsp_process.PACKAGES}")
def test_reconnections_leave_no_files_open() -> None:
    hasty = SuperviseConfig(reconnect_s=0.05, longest_reconnect_s=0.05)
    with ExitStack() as stack:
        camera = stack.enter_context(RtspCamera("--size", "320x240"))
        watch = CameraWatch(stack.enter_context(watched_system((camera.config(CAMERA),), hasty)))
        watch.until(lambda: watch.seen)
        found = leaks(watch, camera, 5)
    assert found.reconnections == 5
    assert found.parent_files[0] == found.parent_files[1]
