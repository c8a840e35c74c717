"""From several looks at a face to one name, or to none.

A stranger with a known name is the worst mistake, so a name must be earned: by its mean cosine over all looks (the
clear ones weigh more, the recent ones too), by its distance from the second, and by most looks agreeing on it.
That somebody is unknown must be earned in the same way. All else is undecided. Strangers that the gallery keeps take
part as if they were one more person, whose name is None: a face that is most like them is unknown.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

SHOWN_CANDIDATES = 3  # of each shot, kept to say why


@dataclass(frozen=True, slots=True)
class VoteSettings:
    threshold: float  # cosine from which two faces are one person
    margin: float = 0.05  # by how much the best name must beat the second
    enough_shots: int = 2  # before there is a verdict,
    strong_by: float = 0.15  # unless one shot is this far above the threshold
    strong_quality: float = 0.3  # and at least this clear: a poor crop resembles anybody
    agreement: float = 0.65  # of the evidence must have the name in first place
    fading: float = 0.75  # what a shot weighs against the shot after it: ids can be mixed up, so the past must fade
    kept_shots: int = 12


class Candidate(Protocol):
    """Somebody of the gallery whom a face is like: the name (None: one of its strangers), the cosine, which picture."""

    @property
    def name(self) -> str | None: ...

    @property
    def score(self) -> float: ...

    @property
    def picture(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Likeness:
    """A candidate, kept to say why."""

    name: str | None
    score: float
    picture: str = ""


@dataclass(frozen=True, slots=True)
class Shot:
    """frame    number of the frame that it is from
    quality  0…1: its weight, before it fades
    best     at most `SHOWN_CANDIDATES`, best first
    rest     whoever was not listed has a cosine of no more than this
    """

    frame: int
    quality: float
    best: tuple[Likeness, ...]
    rest: float

    @property
    def first(self) -> Likeness | None:
        return self.best[0] if self.best else None

    def cosine(self, name: str | None) -> float:
        return next((one.score for one in self.best if one.name == name), self.rest)


@dataclass(frozen=True, slots=True)
class Verdict:
    """state        known (with a name), unknown (nobody of the gallery), undecided (too little to say or in conflict)
    score        cosine of the leader, weighted by quality over all shots; 0 without any
    margin       how far it lies above the second
    votes        shots that speak for this: with the leader in first place, or with nobody above the threshold
    runner_up    the second; None: there is none, or it is a stranger
    by_stranger  what leads is a stranger that the gallery keeps
    """

    state: Literal["known", "unknown", "undecided"]
    name: str | None
    score: float
    margin: float
    votes: int
    runner_up: str | None = None
    by_stranger: bool = False


NO_VERDICT = Verdict("undecided", None, 0.0, 0.0, 0)


@dataclass(frozen=True, slots=True)
class _Lead:
    """nobody is in the lead when no shot had a candidate."""

    is_somebody: bool
    name: str | None
    score: float
    margin: float
    runner_up: str | None


class Ballot:
    """The evidence on one track."""

    def __init__(self, settings: VoteSettings) -> None:
        self._settings = settings
        self._shots: deque[Shot] = deque(maxlen=settings.kept_shots)
        self._verdict = NO_VERDICT

    def add(self, candidates: Sequence[Candidate], quality: float, frame: int = 0) -> None:
        """One shot: candidates best first, each name once; quality from 0 to 1 is its weight.

        No candidates at all mean that the gallery is empty. A shot of quality 0 says nothing and is not kept.
        """
        if not 0 <= quality <= 1:
            raise ValueError(f"quality {quality} is not from 0 to 1")
        if quality == 0:
            return
        best = tuple(Likeness(one.name, one.score, one.picture) for one in candidates[:SHOWN_CANDIDATES])
        # A list of one is the whole gallery: there is nobody else who could be nearly as close.
        self._shots.append(Shot(frame, quality, best, best[-1].score if len(best) > 1 else 0.0))
        self._verdict = self._judge()

    def verdict(self) -> Verdict:
        return self._verdict

    def shots(self) -> tuple[Shot, ...]:
        """What the verdict rests on, oldest first."""
        return tuple(self._shots)

    def use(self, settings: VoteSettings) -> None:
        """Judge by these from now on; what was seen stays."""
        self._settings = settings
        self._verdict = self._judge() if self._shots else NO_VERDICT

    def _judge(self) -> Verdict:
        use, shares = self._settings, self._shares()
        lead = self._lead(shares)
        backing = [shot.first is not None and lead.is_somebody and shot.first.name == lead.name for shot in self._shots]
        strange = [_is_strange(shot, use.threshold) for shot in self._shots]
        is_stranger = lead.is_somebody and lead.name is None
        is_backed = _total(shares, backing) >= use.agreement and self._is_enough(backing)
        if not is_stranger and lead.score >= use.threshold and lead.margin >= use.margin and is_backed:
            return Verdict("known", lead.name, lead.score, lead.margin, sum(backing), lead.runner_up)
        is_strange = _total(shares, strange) >= use.agreement and len(self._shots) >= use.enough_shots
        if is_strange and (is_stranger or lead.score < use.threshold):
            return Verdict("unknown", None, lead.score, lead.margin, sum(strange), lead.runner_up, is_stranger)
        return Verdict("undecided", None, lead.score, lead.margin, sum(backing), lead.runner_up, is_stranger)

    def _shares(self) -> list[float]:
        """What each shot weighs, by quality and age; together 1."""
        newest = len(self._shots) - 1
        weights = [shot.quality * self._settings.fading ** (newest - at) for at, shot in enumerate(self._shots)]
        total = sum(weights)
        return [weight / total for weight in weights]

    def _lead(self, shares: list[float]) -> _Lead:
        """Whoever has the highest mean cosine, and how far it lies above the second; of equals a stranger leads."""
        names = {one.name for shot in self._shots for one in shot.best}
        if not names:
            return _Lead(False, None, 0.0, 0.0, None)
        weighed = list(zip(shares, self._shots, strict=True))
        means = {name: sum(share * shot.cosine(name) for share, shot in weighed) for name in names}
        first, *others = sorted(names, key=lambda name: (-means[name], name is not None, name or ""))
        if not others:
            return _Lead(True, first, means[first], means[first], None)
        return _Lead(True, first, means[first], means[first] - means[others[0]], others[0])

    def _is_enough(self, backing: list[bool]) -> bool:
        """Enough shots for a name, or one that leaves no doubt."""
        use = self._settings
        return sum(backing) >= use.enough_shots or any(
            backs and shot.best[0].score >= use.threshold + use.strong_by and shot.quality >= use.strong_quality
            for backs, shot in zip(backing, self._shots, strict=True)
        )


def _is_strange(shot: Shot, threshold: float) -> bool:
    """Most like a stranger, or not enough like anybody."""
    return shot.first is None or shot.first.name is None or shot.first.score < threshold


def _total(shares: list[float], counted: list[bool]) -> float:
    return sum(share for share, counts in zip(shares, counted, strict=True) if counts)
