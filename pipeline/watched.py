"""A process and its past, as the supervisor keeps them, and what it tells of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess

from checkpoints.errors import LoginRefused, SourceError, UserError
from pipeline.bell import Bell
from pipeline.board import Life, Post
from pipeline.child import ChildPlan, SidePlan
from pipeline.clock import now_ns
from pipeline.patience import Death, Past
from pipeline.wiring import ProcessRow, SideRow


@dataclass(slots=True)
class Watched:
    """One process and its past."""

    row: ProcessRow | SideRow
    post: Post
    bell: Bell
    plan: Callable[[int], ChildPlan | SidePlan]
    past: Past
    process: SpawnProcess | None = None
    pipe: Connection | None = None
    generation: int = 0
    started_ns: int = 0
    start_at_ns: int | None = None
    on_trial: bool = False  # its next life follows on a rest
    refused: UserError | None = None  # what it said at the end of this life, and may be otherwise in the next
    why_killed: str | None = None
    was_silent: bool = False  # and was killed for it
    last_words: str = ""  # of a crash
    to_renew: bool = False  # as soon as it runs
    leave_by_ns: int | None = None  # it was asked to leave, and is killed if it has not by then
    finished: bool = False

    def begin_again(self, pause_s: float, *, rests: bool) -> None:
        """At once, if it was to be renewed: what it died of may be mended by that."""
        self.generation += 1
        self.start_at_ns = now_ns() + (0 if self.to_renew else int(pause_s * 1e9))
        if rests:
            self.post.rest()

    def may_come_back_after(self, error: UserError | None) -> bool:
        """A camera may be there the next time. What has worked in an endless run may work again: when there is room on
        the disk, when somebody has put the file back.
        """
        if self.past.patience == "camera":
            return isinstance(error, SourceError)
        return self.past.patience == "live" and self.post.worked_ns > 0

    def renew(self) -> None:
        """Who waits for the next try has it at once."""
        self.to_renew = True
        if self.start_at_ns is not None:
            self.start_at_ns = now_ns()

    def leave_if_old(self, timeout_s: float) -> None:
        if self.to_renew and self.leave_by_ns is None and self.process is not None and self.post.life is Life.RUNNING:
            self.leave_by_ns = now_ns() + int(timeout_s * 1e9)
            self.post.ask_to_leave()
            self.bell.ring()

    def kill_if_silent(self, start_timeout_s: float) -> list[Happened]:
        """Also one that was asked to leave and has not."""
        if self.process is None:
            return []
        if self.leave_by_ns is not None and self.leave_by_ns < now_ns():
            self.process.kill()
        limit_s = start_timeout_s if self.post.life is Life.STARTING else self.past.silence_s
        if self.post.silent_s <= limit_s:
            return []
        self.process.kill()
        self.post.beat()
        self.was_silent = True
        if self.past.patience == "camera":
            self.why_killed = f"gave no picture for {limit_s:.0f} s"
            return []
        return [Happened("said", self.row.name, f"gave no sign of life for {limit_s:.0f} s and was stopped")]

    def manner_of_death(self, code: int | None) -> str:
        if self.why_killed is not None:
            return self.why_killed
        if self.refused is not None:
            return f"cannot go on: {self.refused.what} {self.refused.saw or ''}".rstrip()
        if code is not None and code < 0:
            return f"was killed by signal {-code}"
        return f"ended with exit code {code}" + (f" ({self.last_words})" if self.last_words else "")

    def forget(self) -> None:
        """The process that has ended."""
        if self.process is not None:
            self.process.close()
            self.process = None
        if self.pipe is not None:
            self.pipe.close()
            self.pipe = None

    @property
    def alive(self) -> bool:
        return self.process is not None

    def death(self) -> Death:
        """Of the life that has just ended."""
        return Death(
            lived_s=(now_ns() - self.started_ns) / 1e9,
            worked_s=max(0, self.post.worked_ns - self.started_ns) / 1e9,
            was_silent=self.was_silent,
            was_refused=isinstance(self.refused, LoginRefused),
        )

    @property
    def is_side(self) -> bool:
        return isinstance(self.row, SideRow)

    @property
    def is_source(self) -> bool:
        return isinstance(self.row, ProcessRow) and self.row.reads is None


@dataclass(frozen=True, slots=True)
class Happened:
    """restarted  the stage died and is started again    failed  it will not be
    said       a child had something to tell            stop    a child asked for the end of the run
    lost       a process beside the way died and will not be started again: the run goes on without it
    away       the process of a live camera has died: it will be tried until the camera is there
    rests      the process died too often: it is given a trial after a long pause
    tried      that trial begins
    disk       there is little room on it, or enough again: `process` says which
    """

    kind: str
    process: str
    text: str
    error: UserError | None = None
    generation: int = 0
