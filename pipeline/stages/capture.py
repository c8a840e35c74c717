"""capture: a camera's, stream's or file's pictures into the ring, as fast as they come.

A live source is drained whatever the others do: the ring drops. A file is read as fast as the slowest reader can.
"""

from __future__ import annotations

from pipeline.config import CameraConfig
from pipeline.stage import Source, StageContext


def open_source(context: StageContext, camera: CameraConfig) -> Source:
    """Imports only what this camera needs: a process of its own for each makes FFmpeg and OpenCV count twice."""
    config = context.config.capture
    if camera.source == "demo":
        from pipeline.sources.demo import DemoSource

        return DemoSource(camera, config)
    if camera.source.isdigit() or camera.source.startswith("gst:"):
        from pipeline.sources.local import CameraSource

        return CameraSource(camera, config)
    if "://" in camera.source:
        from pipeline.sources.stream import StreamSource

        return StreamSource(camera, config, context)
    from pipeline.sources.file import FileSource

    return FileSource(camera, config, context)
