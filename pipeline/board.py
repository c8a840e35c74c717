"""Where every process says that it is alive, and is asked to stop: a few words of shared memory for each."""

from __future__ import annotations

import os
from enum import IntEnum

from pipeline.clock import now_ns
from pipeline.memory import AnonymousBlock, NamedBlock, make_block

MAX_PROCESSES = 500
_WORDS = 8
_PID, _STATE, _BEAT, _STOP, _GO, _STARTS, _WORKED, _LEAVE = range(8)


class Life(IntEnum):
    NONE = 0
    STARTING = 1
    RUNNING = 2
    ENDED = 3
    RESTING = 4  # it has died, and is started again after a pause


class Board:
    def __init__(self) -> None:
        self._block = make_block("board", MAX_PROCESSES * _WORDS * 8)
        self._words = self._block.map(writable=True).cast("q")

    def post(self, index: int) -> Post:
        return Post(self, index)

    def word(self, index: int, field: int) -> int:
        return self._words[index * _WORDS + field]

    def set_word(self, index: int, field: int, value: int) -> None:
        self._words[index * _WORDS + field] = value

    def close(self) -> None:
        self._block.close()

    def __getstate__(self) -> dict[str, AnonymousBlock | NamedBlock]:
        return {"_block": self._block}

    def __setstate__(self, state: dict[str, AnonymousBlock | NamedBlock]) -> None:
        self._block = state["_block"]
        self._words = self._block.map(writable=True).cast("q")


class Post:
    """One process's place on the board."""

    def __init__(self, board: Board, index: int) -> None:
        self._board = board
        self._index = index

    def begin(self) -> None:
        """The parent is about to start the process."""
        self._set(_STARTS, self._get(_STARTS) + 1)
        self._set(_STATE, Life.STARTING)
        self._set(_LEAVE, 0)
        self.beat()

    def enter(self, life: Life) -> None:
        self._set(_PID, os.getpid())
        self._set(_STATE, life)
        self.beat()

    def beat(self) -> None:
        self._set(_BEAT, now_ns())

    def work_done(self) -> None:
        """It has just done what it is there for."""
        self._set(_WORKED, now_ns())
        self.beat()

    def rest(self) -> None:
        """The parent lets it be for a while."""
        self._set(_STATE, Life.RESTING)

    def ask_to_stop(self) -> None:
        self._set(_STOP, 1)

    @property
    def asked_to_stop(self) -> bool:
        return bool(self._get(_STOP))

    def ask_to_leave(self) -> None:
        """Only this process, to be started anew where it was: its rings do not end."""
        self._set(_LEAVE, 1)

    @property
    def asked_to_leave(self) -> bool:
        return bool(self._get(_LEAVE)) and not self.asked_to_stop

    def let_go(self) -> None:
        """A source may begin: those behind it are ready."""
        self._set(_GO, 1)

    @property
    def may_go(self) -> bool:
        return bool(self._get(_GO))

    @property
    def life(self) -> Life:
        return Life(self._get(_STATE))

    @property
    def pid(self) -> int:
        """0: it was never started."""
        return self._get(_PID)

    @property
    def restarts(self) -> int:
        return max(0, self._get(_STARTS) - 1)

    @property
    def worked_ns(self) -> int:
        """When it last did what it is there for; 0: never."""
        return self._get(_WORKED)

    @property
    def silent_s(self) -> float:
        return (now_ns() - self._get(_BEAT)) / 1e9

    def _get(self, field: int) -> int:
        return self._board.word(self._index, field)

    def _set(self, field: int, value: int) -> None:
        self._board.set_word(self._index, field, int(value))
