"""What becomes of a process that has died: started again, after which pause, put to rest, or given up.

camera  a live camera's capture: cameras go away and come back, so it is tried for ever, ever more slowly until it has
        given pictures for a while, and its deaths are nobody else's business
live    a process of a run without an end: who dies too often rests (the breaker is open), is given one trial after
        it, and counts as sound again when it has lived through the window that deaths are counted in
file    a process of a run that ends by itself: who dies too often is given up

Silence takes long to die of, so that the window holds few such deaths: those of ten windows count, and double.
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
SOUND_CONNECTION_S = 10.0  # a camera that gave pictures for so long, and for longer than it was waited for, is well
LONGEST_AFTER_REFUSAL_S = 600.0  # cameras lock an account after some wrong passwords
_SILENCE_WINDOWS = 10
_JITTER = 0.25


@dataclass(frozen=True, slots=True)
class Death:
    """lived_s      how long ago the life that has ended began
    worked_s     after how long of it the process did for the last time what it is there for; 0: it never did
    was_silent   it gave no sign of life, and was killed
    was_refused  it is a camera that wants another login
    """

    lived_s: float
    worked_s: float = 0.0
    was_silent: bool = False
    was_refused: bool = False


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
        self._failures = 0  # in a row: connections that did not last, lives that were short
        self._silences: deque[int] = deque()
        self._rests = 0  # in a row; more than none: the life that has ended was a trial

    @property
    def silence_s(self) -> float:
        """How long it may give no sign of life once it runs."""
        return self._config.camera_timeout_s if self.patience == "camera" else self._config.hang_timeout_s

    def died(self, now_ns: int, death: Death) -> Sentence:
        if self.patience == "camera":
            return Sentence("again", self._pause_of_camera_s(death))
        self._failures = self._failures + 1 if death.lived_s < SOUND_LIFE_S else 0
        if self._rests and death.lived_s >= self._config.restart_window_s:
            self._rests = 0
        why = self._too_often(now_ns, death)
        if why or self._rests:
            return self._end_of_patience("in its trial after a rest" if self._rests else why)
        return Sentence("again", backoff_s(self._failures, FIRST_PAUSE_S, LONGEST_PAUSE_S))

    def _pause_of_camera_s(self, death: Death) -> float:
        first_s, longest_s = self._config.reconnect_s, self._config.longest_reconnect_s
        if death.worked_s > max(SOUND_CONNECTION_S, backoff_s(self._failures, first_s, longest_s)):
            self._failures = 0
        self._failures += 1
        longest_s = max(longest_s, LONGEST_AFTER_REFUSAL_S) if death.was_refused else longest_s
        return backoff_s(self._failures, first_s, longest_s, self._chance)

    def _too_often(self, now_ns: int, death: Death) -> str:
        """How it has died too often; nothing if it has not."""
        window_s, most = self._config.restart_window_s, self._config.max_restarts
        deaths = _count(self._deaths, now_ns, window_s)
        if deaths > most:
            return f"for the {deaths}th time in {window_s:.0f} s"
        if not death.was_silent:
            return ""
        silences = _count(self._silences, now_ns, _SILENCE_WINDOWS * window_s)
        return f"silent {silences} times in {_SILENCE_WINDOWS * window_s:.0f} s" if 2 * silences > most else ""

    def _end_of_patience(self, why: str) -> Sentence:
        if self.patience == "file":
            return Sentence("given up", why=f"{why}; giving up")
        self._rests += 1
        self._deaths.clear()
        self._silences.clear()
        pause_s = backoff_s(self._rests, self._config.rest_s, self._config.longest_rest_s)
        return Sentence("rests", pause_s, f"{why}; it rests for {pause_s:.0f} s")


def _count(moments: deque[int], now_ns: int, window_s: float) -> int:
    """With the one now, those that lie within the window; the others are forgotten."""
    moments.append(now_ns)
    while now_ns - moments[0] > window_s * 1e9:
        moments.popleft()
    return len(moments)
