"""The loop that every stage runs in: take what has come, work on it, publish, and only then call it done."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from checkpoints.errors import UserError
from pipeline.clock import now_ns
from pipeline.config import RunConfig
from pipeline.messages import Record
from pipeline.topic import FrameOutbox, Inbox, Look, Outbox, Pulse


@dataclass(frozen=True, slots=True)
class StageContext:
    """What a stage is given when it opens.

    stage        its name
    look         frames by reference, for the stages that see them
    generation   how often this stage was restarted
    say          tells the person at the terminal something
    promise      tells how many frames a source will give, where it knows
    complain     tells of an output that was given up: the run goes on, and ends with exit code 1
    request_stop asks the parent to end the run
    """

    stage: str
    config: RunConfig
    look: Look | None
    generation: int
    say: Callable[[str], None]
    promise: Callable[[int], None]
    complain: Callable[[UserError], None]
    request_stop: Callable[[str], None]


class Stage(Protocol):
    """Each module in `stages` but capture has `open_stage(context) -> Stage`."""

    def work(self, records: Sequence[Any]) -> Sequence[Record | None]:
        """One result for each record, in order, about the same frame; None when the frame was lost."""

    def idle(self) -> None:
        """Nothing has come: called at least four times a second."""

    def close(self) -> None: ...


class Source(Protocol):
    """`stages.capture` has `open_source(context, camera) -> Source`."""

    def run(self, out: FrameOutbox, pulse: Pulse) -> None:
        """Publishes frames until there are no more or it is asked to stop."""

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Placed:
    """A stage in its process, with the frames it looks at."""

    name: str
    stage: Stage
    look: Look | None


def run_stages(placed: Sequence[Placed], inbox: Inbox, outbox: Outbox, pulse: Pulse) -> None:
    """Several stages in one process work one after the other on what the first has taken."""
    while not pulse.leaving:
        received = inbox.take()
        if not received:
            if inbox.ended:
                return
            for each in placed:
                each.stage.idle()
            pulse.wait()
            continue
        pulse.beat()
        results: list[Record | None] = [item.record for item in received]
        for each in placed:
            results = _work(each, results)
        for result in results:
            if result is not None:
                outbox.publish(result, pulse)
        for each in placed:
            if each.look is not None:
                for item in received:
                    each.look.done(item.record.ref)
        for item, result in zip(received, results, strict=True):
            inbox.done(item, passed_on=result is not None)
        pulse.work_done()


def _work(placed: Placed, records: list[Record | None]) -> list[Record | None]:
    here = [record for record in records if record is not None]
    if not here:
        return records
    entered_ns = now_ns()
    made = iter(placed.stage.work(here))
    left_ns = now_ns()
    results = [None if record is None else next(made) for record in records]
    return [r and replace(r, ref=r.ref.after(placed.name, entered_ns, left_ns)) for r in results]
