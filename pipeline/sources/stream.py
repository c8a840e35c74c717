"""A network camera or stream."""

from __future__ import annotations

import random
from functools import partial

from checkpoints.errors import SourceError
from pipeline import events, video
from pipeline.clock import now_ns
from pipeline.config import CameraConfig, CaptureConfig
from pipeline.sources.feed import Publisher, working_size
from pipeline.stage import StageContext
from pipeline.topic import FrameOutbox, Pulse

FIRST_BACKOFF_S = 1.0
MAX_BACKOFF_S = 30.0


class StreamSource:
    """A network camera: reconnects for ever, with growing pauses, once it has been seen."""

    def __init__(self, camera: CameraConfig, config: CaptureConfig, context: StageContext) -> None:
        self._camera = camera
        self._config = config
        self._say = context.say
        self._log = events.open_log(context.config)
        self._was_up = context.generation > 0
        self._reader: video.VideoReader | None = None

    def run(self, out: FrameOutbox, pulse: Pulse) -> None:
        publisher = Publisher(self._camera, self._config, out, pulse)
        pause_s = FIRST_BACKOFF_S
        while not publisher.done:
            publisher.epoch += 1 if out.last else 0
            try:
                self._reader = self._open()
                self._was_up, pause_s = True, FIRST_BACKOFF_S
                self._tell("up")
                self._drain(self._reader, publisher, pulse)
                if self._reader.finite and not self._reader.broke:
                    return  # a video on a server, played to its end
                why = self._reader.broke or "the stream ended"
            except SourceError as error:
                if not self._was_up:
                    raise
                why = error.saw or error.what
            if publisher.done:
                break
            self.close()
            self._tell("lost", why=why)
            pulse.rest(pause_s * random.uniform(0.75, 1.25))
            pause_s = min(MAX_BACKOFF_S, pause_s * 2)
            self._tell("reconnecting")

    def close(self) -> None:
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    def _open(self) -> video.VideoReader:
        return video.VideoReader(self._camera, live=True, timeout_s=self._config.open_timeout_s)

    def _drain(self, reader: video.VideoReader, publisher: Publisher, pulse: Pulse) -> None:
        size_wh = working_size(reader.size_wh, self._config.size_wh)
        for pts_s, picture in reader.frames():
            pulse.beat()
            publisher.publish(size_wh, pts_s, now_ns(), partial(reader.fill, picture))
            if publisher.done:
                return

    def _tell(self, state: str, **more: object) -> None:
        if state != "up" or self._was_up:
            self._say(f"camera {self._camera.name} ({self._camera.shown}): {state} {more.get('why', '')}".rstrip())
        if self._log is not None:
            self._log.append(events.camera(self._camera.name, state, **more))
