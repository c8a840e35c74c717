"""What is asked of a file before anybody watches it: what it is, by its content, and how long."""

from __future__ import annotations

from contextlib import closing

from app.archive.recordings import File, Origin, Recording
from app.archive.sources import opened, sha256_of
from checkpoints.errors import SourceError
from pipeline.config import CameraConfig
from pipeline.video import VideoReader


def survey(file: File, origin: Origin) -> Recording:
    """Reads all of it once. Raises SourceError for a file that is no video, or that cannot be read."""
    try:
        with opened(file.place) as content:
            camera = CameraConfig(origin.camera, file.place, file.place)
            with closing(VideoReader(camera, content=content)) as reader:
                began_s, length_s = reader.began_s, reader.length_s
        sha256 = sha256_of(file.place)
    except OSError as error:
        raise SourceError(
            "The recording cannot be read.", saw=f"{file.place}: {error.strerror or error}", fix="see who may read it"
        ) from error
    started_utc = origin.started_utc
    if started_utc is None:  # it was closed when the last picture was in it
        started_utc = file.mtime_ns / 1e9 - length_s
    return Recording(
        file=file.place,
        size=file.size,
        mtime_ns=file.mtime_ns,
        sha256=sha256,
        camera=origin.camera,
        started_utc=started_utc,
        began_s=began_s,
        length_s=length_s,
    )
