"""A process and its past, as the supervisor keeps them, and what it tells of them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess

from checkpoints.errors import UserError
from pipeline.bell import Bell
from pipeline.board import Post
from pipeline.child import ChildPlan, SidePlan
from pipeline.wiring import ProcessRow, SideRow


@dataclass(slots=True)
class Watched:
    """One process and its past.

    deaths       when it died, on `clock`, for the circuit breaker
    short_lives  how often in a row it died soon after its start, for the back-off
    """

    row: ProcessRow | SideRow
    post: Post
    bell: Bell
    plan: Callable[[int], ChildPlan | SidePlan]
    process: SpawnProcess | None = None
    pipe: Connection | None = None
    generation: int = 0
    deaths: deque[int] = field(default_factory=deque)
    short_lives: int = 0
    started_ns: int = 0
    start_at_ns: int | None = None
    finished: bool = False

    @property
    def alive(self) -> bool:
        return self.process is not None

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
    """

    kind: str
    process: str
    text: str
    error: UserError | None = None
    generation: int = 0
