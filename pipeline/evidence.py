"""What is known of the faces that one camera sees now: their votes, and the shots that the votes were made of.

The shots are kept so that a gallery that changes meanwhile is heeded at once: people who were just enrolled are named,
and people who were just deleted are not, before their faces are embedded again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pipeline.gallery.gallery import Match
from pipeline.messages import Why, WhyShot
from tracker.vote import Ballots, Shot, Verdict, VoteSettings

KEPT_SHOTS = 12
SHOWN_SHOTS = 5
# Tracks of a stage that was restarted never end: the new one does not know of them. A face that is lost from sight is
# told to have ended after 250 frames.
STALE_FRAMES = 2000

MatchRows = Callable[[NDArray[np.float32]], list[list[Match]]]


@dataclass(frozen=True, slots=True)
class Look:
    """embedding (D,)"""

    embedding: NDArray[np.float32]
    quality: float
    frame: int


@dataclass(slots=True)
class _Seen:
    """told  state and name of the last verdict that was explained"""

    last_frame: int = 0
    looks: deque[Look] = field(default_factory=lambda: deque(maxlen=KEPT_SHOTS))
    told: tuple[str, str | None] | None = None


class Evidence:
    def __init__(self, settings: VoteSettings) -> None:
        self._ballots = Ballots(settings)
        self._seen: dict[int, _Seen] = {}

    def __len__(self) -> int:
        return len(self._seen)

    def add(self, track: int, look: Look, matches: Sequence[Match]) -> None:
        self._seen.setdefault(track, _Seen()).looks.append(look)
        self._ballots.add(track, matches, look.quality, look.frame)

    def looks(self, track: int) -> list[Look]:
        """Oldest first."""
        return list(self._seen[track].looks) if track in self._seen else []

    def verdicts(self, tracks: Sequence[int], frame: int) -> dict[int, Verdict]:
        """Once a frame."""
        for track in tracks:
            self._seen.setdefault(track, _Seen()).last_frame = frame
        return self._ballots.verdicts(tracks)

    def why(self, track: int, verdict: Verdict) -> Why | None:
        """Why it has this verdict, when the verdict is another one than was explained last."""
        seen, shots = self._seen[track], self._ballots.shots(track)
        if not shots or seen.told == (verdict.state, verdict.name):
            return None
        seen.told = (verdict.state, verdict.name)
        use = self._ballots.settings
        best = sorted(shots, key=lambda shot: (-shot.quality, -shot.frame))[:SHOWN_SHOTS]
        shown = tuple(_shown(shot) for shot in sorted(best, key=lambda shot: shot.frame))
        return Why(shown, use.threshold, use.margin, verdict.runner_up, verdict.by_stranger)

    def judge_anew(self, settings: VoteSettings, match: MatchRows) -> None:
        """The gallery is another one."""
        self._ballots.forget(self._seen)
        self._ballots.settings = settings
        looks = [(track, look) for track, seen in self._seen.items() for look in seen.looks]
        if not looks:
            return
        found = match(np.stack([look.embedding for _, look in looks]))
        for (track, look), matches in zip(looks, found, strict=True):
            self._ballots.add(track, matches, look.quality, look.frame)

    def revive(self, newer: int, older: int, match: MatchRows) -> None:
        """Two tracks were one face: what was seen under the newer id counts for the older."""
        gone = self._seen.pop(newer, None)
        self._ballots.forget([newer])
        if gone is None or not gone.looks:
            return
        found = match(np.stack([look.embedding for look in gone.looks]))
        for look, matches in zip(gone.looks, found, strict=True):
            self.add(older, look, matches)

    def forget(self, tracks: Iterable[int]) -> None:
        for track in (ended := list(tracks)):
            self._seen.pop(track, None)
        self._ballots.forget(ended)

    def stale(self, frame: int) -> list[int]:
        """Tracks of which nothing was heard for so long that they can only have been forgotten."""
        return [track for track, seen in self._seen.items() if frame - seen.last_frame > STALE_FRAMES]


def _shown(shot: Shot) -> WhyShot:
    nearest = tuple((one.name, float(one.score), one.picture) for one in shot.best)
    return WhyShot(shot.frame, shot.quality, nearest)
