"""capture: a camera's, stream's or file's pictures into the ring, as fast as they come.

A live source is drained whatever the others do: the ring drops. A file is read as fast as the slowest reader can.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from pipeline.config import CameraConfig
from pipeline.stage import Source, StageContext


def open_source(context: StageContext, camera: CameraConfig) -> Source:
    """Imports only what this camera needs: a process of its own for each makes FFmpeg and OpenCV count twice."""
    config = replace(context.config.capture, size_wh=camera.size_wh or context.config.capture.size_wh)
    if camera.source == "demo":
        from pipeline.sources.demo import DemoSource

        return DemoSource(camera, config)
    if camera.source.isdigit() or camera.source.startswith(("gst:", "/dev/video")):
        from pipeline.sources.local import local_source

        return local_source(camera, context)
    if "://" in camera.source:
        from pipeline.sources.stream import stream_source

        return stream_source(camera, context)
    if Path(camera.source).is_dir():
        from pipeline.sources.folder import FolderSource

        return FolderSource(camera, config, context)
    if camera.source.lower().endswith((".m3u", ".txt")):
        from pipeline.sources.playlist import PlaylistSource

        return PlaylistSource(camera, config, context)
    from pipeline.sources.file import FileSource

    return FileSource(camera, config, context)
