"""What becomes of a process that has died: started again, after which pause, put to rest, or given up.

camera  a live camera's capture: cameras go away and come back, so it is tried for ever, ever more slowly, and its
        deaths are nobody else's business
live    a process of a run without an end: who dies too often rests (the breaker is open), is given one trial after
        it, and counts as sound again when it has lived through the window that deaths are counted in
file    a process of a run that ends by itself: who dies too often is given up
"""

from __future__ import annotations

import random
from collections import deque
from dataclasses import dataclass
from typing import Literal

from pipeline.config import RunConfig, SuperviseConfig
from pipeline.wiring import ProcessRow, SideRow

Patience = Literal["camera", "live", "file"]

FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 5.0
SOUND_LIFE_S = 2.0  # who lived this long is started again at once
_JITTER = 0.25


@dataclass(frozen=True, slots=True)
class Sentence:
    """again    it is started after `pause_s`
    rests    so too, but the pause is a long one, and people should know
    given up it is not started any more
    """

    kind: Literal["again", "rests", "given up"]
    pause_s: float = 0.0
    why: str = ""


def patience_of(row: ProcessRow | SideRow, config: RunConfig) -> Patience:
    if isinstance(row, ProcessRow) and any(c.live for c in config.cameras if c.name == row.camera):
        return "camera"
    return "live" if config.endless else "file"


def backoff_s(tries: int, first_s: float, longest_s: float, chance: random.Random | None = None) -> float:
    """Before the try after so many that failed in a row: doubled each time; `chance` spreads it by a quarter."""
    pause_s = min(longest_s, first_s * 2.0 ** min(tries - 1, 30)) if tries > 0 else 0.0
    return pause_s if chance is None else pause_s * chance.uniform(1 - _JITTER, 1 + _JITTER)


class Past:
    """The deaths of one process, and what follows from them."""

    def __init__(self, patience: Patience, config: SuperviseConfig, chance: random.Random | None = None) -> None:
        self.patience = patience
        self._config = config
        self._chance = chance or random.Random()
        self._deaths: deque[int] = deque()
        self._failures = 0  # in a row: tries of a camera that gave no picture, lives that were short
        self._rests = 0  # in a row; more than none: the life that has ended was a trial

    @property
    def silence_s(self) -> float:
        """How long it may give no sign of life once it runs."""
        return self._config.camera_timeout_s if self.patience == "camera" else self._config.hang_timeout_s

    def died(self, now_ns: int, *, lived_s: float, worked: bool) -> Sentence:
        """worked: it has done in this life what it is there for."""
        if self.patience == "camera":
            self._failures = 1 if worked else self._failures + 1
            first_s, longest_s = self._config.reconnect_s, self._config.longest_reconnect_s
            return Sentence("again", backoff_s(self._failures, first_s, longest_s, self._chance))
        self._failures = self._failures + 1 if lived_s < SOUND_LIFE_S else 0
        if self._rests and lived_s >= self._config.restart_window_s:
            self._rests = 0
        if self._died_too_often(now_ns) or self._rests:
            return self._end_of_patience()
        return Sentence("again", backoff_s(self._failures, FIRST_PAUSE_S, LONGEST_PAUSE_S))

    def _died_too_often(self, now_ns: int) -> bool:
        self._deaths.append(now_ns)
        while now_ns - self._deaths[0] > self._config.restart_window_s * 1e9:
            self._deaths.popleft()
        return len(self._deaths) > self._config.max_restarts

    def _end_of_patience(self) -> Sentence:
        window_s = self._config.restart_window_s
        why = f"for the {len(self._deaths)}th time in {window_s:.0f} s"
        if self.patience == "file":
            return Sentence("given up", why=f"{why}; giving up")
        if self._rests:
            why = "in its trial after a rest"
        self._rests += 1
        self._deaths.clear()
        pause_s = backoff_s(self._rests, self._config.rest_s, self._config.longest_rest_s)
        return Sentence("rests", pause_s, f"{why}; it rests for {pause_s:.0f} s")
