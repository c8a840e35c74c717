from __future__ import annotations

import pytest

from checkpoints.errors import SourceError
from pipeline.sources.ready_pipelines import pipeline_of


def test_a_pipeline_is_taken_as_it_is() -> None:
    assert pipeline_of("gst: videotestsrc ! appsink") == "videotestsrc ! appsink"
    assert pipeline_of("gst:csi ! fakesink") == "csi ! fakesink"


@pytest.mark.parametrize(
    ("source", "parts"),
    [
        ("gst:csi 1", ["nvarguscamerasrc sensor-id=1", "width=640,height=360,framerate=15/1", "nvvidconv"]),
        ("gst:nvdec rtsp://h/1", ['location="rtsp://h/1" protocols=udp', "decodebin", "BGRx,width=640,height=360"]),
        ("gst:usb /dev/video2", ["device=/dev/video2", "image/jpeg,width=640,height=360,framerate=15/1", "mjpeg=1"]),
    ],
)
def test_ready_pipelines_keep_the_newest_picture_only(source: str, parts: list[str]) -> None:
    made = pipeline_of(source, size_wh=(640, 360), fps=15, transport="udp")
    assert all(part in made for part in parts), made
    assert made.endswith("format=BGR ! appsink max-buffers=1 drop=true sync=false")


@pytest.mark.parametrize("source", ["gst:csi", "gst:nvdec ", 'gst:nvdec rtsp://h/" ! filesink location=x'])
def test_a_ready_pipeline_needs_a_camera_and_nothing_else(source: str) -> None:
    if "!" in source:
        assert pipeline_of(source) == source.removeprefix("gst:")  # a pipeline, and no ready one
        return
    with pytest.raises(SourceError, match="which camera"):
        pipeline_of(source)
