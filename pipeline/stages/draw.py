"""draw: what other programs are told of a frame, and what is recorded, on that very frame."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from checkpoints.errors import OutputError
from pipeline import events
from pipeline.event_log import EventLog, open_log
from pipeline.messages import FrameRef, Identities, NamedFace, Shown
from pipeline.retry import Retry
from pipeline.stage import StageContext
from pipeline.topic import Look, image_of

if TYPE_CHECKING:
    from pipeline.outlets.cropping import Cropping
    from pipeline.recorder import Recorder


def open_stage(context: StageContext) -> Draw:
    assert context.look is not None
    return Draw(context, context.look)


class Draw:
    """An output that fails is given up and told of; the others go on. A run without an end tries it again."""

    def __init__(self, context: StageContext, look: Look) -> None:
        self._config = context.config
        self._look = look
        self._say, self._complain = context.say, context.complain
        self._log = open_log(context.config)
        self._telling = events.Telling(context.config.output.event_every_s)
        self._told_until = _last_told(self._log) if self._log and context.generation else {}
        self._recordings_begun = context.generation
        self._recorder = self._new_recorder()
        self._record_again = Retry(is_wished=context.config.endless)
        self._cropping = self._new_cropping()
        self._crop_again = Retry(is_wished=context.config.endless)

    def work(self, records: Sequence[Identities]) -> list[Shown | None]:
        shown = [self._show(identities) for identities in records]
        self.idle()
        return shown

    def idle(self) -> None:
        news = self._log.write_waiting() if self._log is not None else None
        if news is not None:
            self._say(news)
        if self._record_again.take():
            self._recorder = self._new_recorder()
        if self._crop_again.take():
            self._cropping = self._new_cropping()

    def close(self) -> None:
        if self._recorder is not None:
            try:
                self._recorder.close()
            except OutputError as error:
                self._complain(error)
        if self._cropping is not None:
            self._cropping.close()
        if self._log is not None:
            try:
                self._log.close()
            except OutputError as error:
                self._complain(error)

    # The libraries that these two bring are for those runs alone that need them.

    def _new_cropping(self) -> Cropping | None:
        outlets = self._config.outlets
        if outlets is None or not outlets.crops:
            return None
        from pipeline.outlets.cropping import Cropping

        return Cropping(outlets.store / "crops", outlets.seal)

    def _new_recorder(self) -> Recorder | None:
        output = self._config.output
        if not (output.record or output.recordings or output.clips):
            return None
        from pipeline.recorder import Recorder

        self._recordings_begun += 1
        return Recorder(
            output.record,
            cameras=len(self._config.cameras),
            generation=self._recordings_begun - 1,
            live=not self._config.capture.lossless,
            recordings=output.recordings,
            clips=output.clips,
            tell=self._tell_of_clip,
        )

    def _show(self, identities: Identities) -> Shown | None:
        self._telling.hear(identities.ref, identities.faces)
        if self._recorder is not None and not self._record(identities):
            return None
        self._tell(identities)
        return Shown(identities.ref, len(identities.faces), tuple(f.name for f in identities.faces if f.name))

    def _record(self, identities: Identities) -> bool:
        """False when the frame is gone."""
        from pipeline import overlay

        assert self._recorder is not None
        lease = self._look.at(identities.ref)
        if lease is None:
            self._look.lost(identities.ref)
            return False
        try:
            image_bgr = image_of(lease).copy()
        finally:
            lease.release()
        overlay.draw(image_bgr, identities.faces, identities.expected)
        try:
            self._recorder.write(identities.ref, image_bgr, identities.faces)
        except OutputError as error:
            self._complain(error)
            self._recorder.abandon()
            self._recorder = None
            self._record_again.failed()
        return True

    def _tell_of_clip(self, event: dict[str, object]) -> None:
        if self._log is not None:
            self._log.append(event)

    def _tell(self, identities: Identities) -> None:
        ref = identities.ref
        if self._log is None or ref.seq <= self._told_until.get(ref.camera, -1):
            return
        try:
            for face in self._telling.due(ref, identities.faces):
                why = self._telling.why(ref, face)
                event = events.identity(ref, face, identities.embedding_space, why)
                self._keep_crop(event, ref, face)
                self._log.append(event)
        except OutputError as error:
            self._complain(error)
            self._log.close()
            self._log = None

    def _keep_crop(self, event: dict[str, object], ref: FrameRef, face: NamedFace) -> None:
        if self._cropping is None or not self._cropping.wants(event):
            return
        lease = self._look.at(ref)
        if lease is None:
            return
        try:
            self._cropping.keep(event, image_of(lease), face)
        except OutputError as error:
            self._complain(error)
            self._cropping.close()
            self._cropping = None
            self._crop_again.failed()
        finally:
            lease.release()


def _last_told(log: EventLog) -> dict[str, int]:
    """Camera → the last frame that this stage had told of before it was restarted."""
    return {e["camera"]: e["frame"] for e in log.tail() if e.get("type") == "identity"}
