"""A video file."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from checkpoints.errors import SourceError
from pipeline import video
from pipeline.config import CameraConfig, CaptureConfig
from pipeline.sources.feed import Pace, Publisher, working_size
from pipeline.stage import StageContext
from pipeline.topic import FrameOutbox, Pulse, Stopped

TOLERATED_MISSING = 2  # encoders miscount the frames of whole files by one or two


class FileSource:
    """After a restart it goes on behind the last picture that was published."""

    def __init__(self, camera: CameraConfig, config: CaptureConfig, context: StageContext) -> None:
        _check_file(camera)
        self._camera = camera
        self._config = config
        self._say = context.say
        self._reader = self._open()
        self._pace = self._own_pace()
        if not config.loop:
            context.promise(min(self._reader.frames_promised, config.frames or self._reader.frames_promised))

    def run(self, out: FrameOutbox, pulse: Pulse) -> None:
        publisher = Publisher(self._camera, self._config, out, pulse)
        resume_after_s = out.last.pts_s if out.last else None
        try:
            while not publisher.done:
                shown = self.play(publisher, resume_after_s)
                empty = not shown and resume_after_s is None
                if self._reader.broke or empty or not self._config.loop:
                    return
                resume_after_s = None
                publisher.epoch += 1
                self._reader.close()
                self._reader = self._open()
                self._pace = self._own_pace()
        except Stopped:
            return

    def close(self) -> None:
        self._reader.close()

    def _open(self) -> video.VideoReader:
        return video.VideoReader(self._camera)

    def _own_pace(self) -> Pace:
        return Pace(self._config.realtime_fps or (None if self._config.lossless else self._reader.fps))

    def play(self, publisher: Publisher, after_s: float | None) -> int:
        """One round through the file; how many pictures it gave. Stopped when asked to stop meanwhile."""
        reader, shown = self._reader, 0
        size_wh = working_size(reader.size_wh, self._config.size_wh)
        frames = reader.frames(after_s=after_s)
        while not publisher.done:
            captured_ns = publisher.wait_for(self._pace)
            following = next(frames, None)
            if following is None:
                if after_s is None:
                    self._tell_if_damaged(shown)
                break
            pts_s, picture = following
            publisher.publish(size_wh, pts_s, captured_ns, partial(reader.fill, picture))
            shown += 1
        return shown

    def _tell_if_damaged(self, shown: int) -> None:
        promised, broke = self._reader.frames_promised, self._reader.broke
        if broke or shown < promised - TOLERATED_MISSING:
            why = f" ({broke})" if broke else ""
            total = promised or "an unknown number of"
            self._say(
                f"{self._camera.shown} is damaged: of {total} frames {shown} could be decoded{why}; those were used"
            )


def _check_file(camera: CameraConfig) -> None:
    path = Path(camera.source)
    if not path.exists():
        raise SourceError("The file does not exist.", saw=f"--source {camera.shown}", fix="check its name and folder")
    if path.is_dir():
        raise SourceError("This is a folder, not a video.", saw=f"--source {camera.shown}", fix="name one file in it")
