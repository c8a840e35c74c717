"""Processes beside the way of the frames: what they are given, and what they have to do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from checkpoints.errors import UserError
from pipeline.board import Board
from pipeline.config import RunConfig
from pipeline.ring import Ring
from pipeline.topic import Pulse


@dataclass(frozen=True, slots=True)
class SideContext:
    """options      those of its row in the wiring
    rings        all of the run's, by name: to look on (`pipeline.onlooker`), never to take part
    processes    names, in the order of their places on the board
    generation   how often it was restarted
    say          tells the person at the terminal something
    complain     tells of an output that was given up: the run goes on, and ends with exit code 1
    request_stop asks the parent to end the run
    """

    config: RunConfig
    options: object
    rings: Mapping[str, Ring]
    board: Board
    processes: tuple[str, ...]
    generation: int
    say: Callable[[str], None]
    complain: Callable[[UserError], None]
    request_stop: Callable[[str], None]


class Side(Protocol):
    """The module of a `SideRow` has `open_side(context) -> Side`."""

    def run(self, pulse: Pulse) -> None:
        """Until `pulse.stopping`, which comes when all stages have ended; beats its heart meanwhile."""

    def close(self) -> None: ...
