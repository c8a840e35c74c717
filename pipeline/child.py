"""CHILD side of a process: open the rings, open the stages, run, and tell the parent how it ended.

The parent's side is `supervise`.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
import threading
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import parent_process
from typing import Literal

from checkpoints.errors import UserError
from pipeline import slot, topic
from pipeline.bell import Bell
from pipeline.board import Board, Life, Post
from pipeline.config import RunConfig
from pipeline.ring import Ring
from pipeline.side import Side, SideContext
from pipeline.stage import Placed, Source, Stage, StageContext, run_stages
from pipeline.wiring import ProcessRow, SideRow, StageRow

EXIT_USER_ERROR = 2


@dataclass(frozen=True, slots=True)
class Said:
    """What a child tells its parent. `error` stands for something that the user can put right."""

    kind: Literal["said", "frames", "trouble", "stop", "error", "crash"]
    text: str
    error: UserError | None = None


@dataclass(frozen=True, slots=True)
class ChildPlan:
    """reads and looks  ring name → ring; a topic of each camera has a ring for each."""

    row: ProcessRow
    config: RunConfig
    board: Board
    place: int
    bell: Bell
    reads: Mapping[str, Ring]
    looks: Mapping[str, Ring]
    writes: Ring
    generation: int


@dataclass(frozen=True, slots=True)
class SidePlan:
    """rings      all of the run's, by name
    processes  their names, in the order of their places on the board
    """

    row: SideRow
    config: RunConfig
    board: Board
    place: int
    bell: Bell
    rings: Mapping[str, Ring]
    processes: tuple[str, ...]
    generation: int


def main(plan: ChildPlan | SidePlan, parent: Connection) -> None:
    """Runs in the new process. Signals are the parent's business: it stops the sources, and the rest runs dry."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    threading.Thread(target=_die_with_parent, daemon=True).start()
    post = plan.board.post(plan.place)
    post.enter(Life.STARTING)
    try:
        has_left = _run_side(plan, parent, post) if isinstance(plan, SidePlan) else _run(plan, parent, post)
    except UserError as error:
        parent.send(Said("error", str(error), error))
        sys.exit(EXIT_USER_ERROR)
    except Exception:  # noqa: BLE001  (the parent tells it, and starts the stage again)
        parent.send(Said("crash", traceback.format_exc()))
        sys.exit(1)
    if not has_left:
        post.enter(Life.ENDED)


def _die_with_parent() -> None:
    """A parent that was killed stops nobody; its children notice by themselves, even inside a native call."""
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _run(plan: ChildPlan, parent: Connection, post: Post) -> bool:
    """True when it was asked to leave, and is to come back."""
    pulse = topic.Pulse(post, plan.bell)
    looks = {name: topic.Look({c: ring.reader(name) for c, ring in plan.looks.items()}) for name in plan.row.looks_at}

    def context(stage: StageRow) -> StageContext:
        return StageContext(
            stage=stage.name,
            config=plan.config,
            look=looks.get(stage.name),
            generation=plan.generation,
            say=lambda text: parent.send(Said("said", text)),
            promise=lambda frames: parent.send(Said("frames", str(frames))),
            complain=lambda error: parent.send(Said("trouble", str(error), error)),
            request_stop=lambda why: parent.send(Said("stop", why)),
        )

    first = plan.row.stages[0]
    if first.reads is None:
        camera = next(c for c in plan.config.cameras if c.name == plan.row.camera)
        source: Source = importlib.import_module(first.module).open_source(context(first), camera)
        frames = topic.FrameOutbox(plan.writes.writer(), pulse)
        post.enter(Life.RUNNING)
        try:
            pulse.wait_to_go()
            source.run(frames, pulse)
        finally:
            source.close()
        if not (leaves := pulse.leaving):
            frames.end()
        return leaves

    placed = [_open(stage, context(stage)) for stage in plan.row.stages]
    decode = slot.read_frame if first.reads == "frames" else slot.read_record
    inbox = topic.Inbox([ring.reader(first.name) for ring in plan.reads.values()], decode)
    outbox = topic.Outbox(plan.writes.writer())
    post.enter(Life.RUNNING)
    try:
        run_stages(placed, inbox, outbox, pulse)
    finally:
        for each in placed:
            each.stage.close()
    if not (leaves := pulse.leaving):
        outbox.end()
    return leaves


def _run_side(plan: SidePlan, parent: Connection, post: Post) -> bool:
    context = SideContext(
        config=plan.config,
        options=plan.row.options,
        rings=plan.rings,
        board=plan.board,
        processes=plan.processes,
        generation=plan.generation,
        say=lambda text: parent.send(Said("said", text)),
        complain=lambda error: parent.send(Said("trouble", str(error), error)),
        request_stop=lambda why: parent.send(Said("stop", why)),
    )
    side: Side = importlib.import_module(plan.row.module).open_side(context)
    post.enter(Life.RUNNING)
    post.work_done()  # what is there is what it is there for: it may come back, whatever it dies of
    try:
        side.run(topic.Pulse(post, plan.bell))
    finally:
        side.close()
    return post.asked_to_leave


def _open(row: StageRow, context: StageContext) -> Placed:
    stage: Stage = importlib.import_module(row.module).open_stage(context)
    return Placed(row.name, stage, context.look)
