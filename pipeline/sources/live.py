"""A camera that goes away and comes back. One life of this process is one connection.

When the connection breaks, the process ends with the reason, and the parent begins another one after a pause: nothing
that a decoder holds outlives its stream, and one that hangs is killed.
"""

from __future__ import annotations

from collections.abc import Callable

from checkpoints.errors import OutputError
from pipeline import events, video_errors
from pipeline.clock import now_ns
from pipeline.config import CameraConfig, CaptureConfig, RunConfig
from pipeline.event_log import EventLog, open_log
from pipeline.sources.connection import Connection, Picture
from pipeline.sources.feed import Publisher, working_size
from pipeline.sources.opening import Opening
from pipeline.sources.playout import Playout
from pipeline.sources.stream_clock import StreamClock
from pipeline.sources.thinning import Thinning
from pipeline.stage import StageContext
from pipeline.topic import FrameOutbox, Pulse, Stopped

CONNECTING_MARGIN_S = 1.0  # what opens may tell by itself why it cannot


class LiveSource:
    def __init__(
        self, camera: CameraConfig, config: CaptureConfig, context: StageContext, connect: Callable[[], Connection]
    ) -> None:
        self._camera = camera
        self._config = config
        self._say, self._complain = context.say, context.complain
        self._log = self._open_log(context.config)
        self._is_back = context.generation > 0
        self._connect = connect
        self._connection: Connection | None = None

    def run(self, out: FrameOutbox, pulse: Pulse) -> None:
        publisher = Publisher(self._camera, self._config, out, pulse)
        publisher.epoch += 1 if out.last else 0
        too_late = video_errors.unreachable(self._camera.shown, f"no answer for {self._config.open_timeout_s:.0f} s")
        try:
            opening = Opening(self._connect)
            self._connection = opening.wait(pulse, self._config.open_timeout_s + CONNECTING_MARGIN_S, too_late)
            self._show(self._connection, publisher, pulse)
        except Stopped:
            return
        if not self._connection.finite and not publisher.done:
            raise video_errors.hung_up(self._camera.shown, "the stream ended")

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        if self._log is not None:
            try:
                self._log.close()
            except OutputError as error:  # why the connection broke is told all the same
                self._complain(error)

    def _open_log(self, config: RunConfig) -> EventLog | None:
        try:
            return open_log(config)
        except OutputError as error:
            self._complain(error)
            return None

    def _show(self, connection: Connection, publisher: Publisher, pulse: Pulse) -> None:
        """Until the stream ends. A picture is the only sign of life that counts."""
        clock, playout, thinning, size_wh = StreamClock(), Playout(), Thinning(self._camera.fps), None
        for picture in connection.pictures():
            if connection.bursts:
                pulse.rest((playout.due_ns(picture.stamp_s, now_ns()) - now_ns()) / 1e9)
            if publisher.done:
                return
            arrived_ns = now_ns()
            at_s = picture.stamp_s if connection.finite else clock.at(picture.stamp_s, arrived_ns)
            pulse.beat()
            if not thinning.wants(at_s or 0.0):
                continue
            if size_wh not in (None, picture.size_wh):
                publisher.epoch += 1  # what was where in the pictures before means nothing in these
            self._publish(picture, at_s or 0.0, arrived_ns, publisher)
            if size_wh is None:
                self._tell("up")
            size_wh = picture.size_wh
            if self._log is not None:
                self._log.write_waiting()

    def _publish(self, picture: Picture, at_s: float, arrived_ns: int, publisher: Publisher) -> None:
        size_wh = working_size(picture.size_wh, self._camera.size_wh or self._config.size_wh)
        publisher.publish(size_wh, at_s, arrived_ns, picture.fill)

    def _tell(self, state: str) -> None:
        if self._is_back and state == "up":
            self._say(f"camera {self._camera.name} ({self._camera.shown}): back")
        if self._log is None:
            return
        try:
            self._log.append(events.camera(self._camera.name, state))
        except OutputError as error:
            self._complain(error)
            self._log.close()
            self._log = None
