"""From several looks at a face to one name, or to none.

A stranger with a known name is the worst mistake, so a name must be earned: by its mean cosine over all looks (the
clear ones weigh more, the recent ones too), by its distance from the second name, and by most looks agreeing on it.
That somebody is unknown must be earned in the same way. All else is undecided.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal


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


@dataclass(frozen=True, slots=True)
class Verdict:
    """state   known (with a name), unknown (nobody of the gallery), undecided (not enough evidence, or it disagrees)
    score   cosine of the leading name, weighted by quality over all shots; 0 without any
    margin  how far it lies above the second name
    votes   shots that speak for this: with the leading name in first place, or below the threshold for `unknown`
    """

    state: Literal["known", "unknown", "undecided"]
    name: str | None
    score: float
    margin: float
    votes: int


NO_VERDICT = Verdict("undecided", None, 0.0, 0.0, 0)


@dataclass(frozen=True, slots=True)
class _Shot:
    """cosines  of each name that was listed
    best     the name in first place, None with an empty gallery
    highest  its cosine
    rest     a name that was not listed has no more than this
    """

    cosines: dict[str, float]
    best: str | None
    highest: float
    rest: float
    quality: float


class Ballot:
    """The evidence on one track."""

    def __init__(self, settings: VoteSettings) -> None:
        self._settings = settings
        self._shots: deque[_Shot] = deque(maxlen=settings.kept_shots)
        self._verdict = NO_VERDICT

    def add(self, matches: Sequence[tuple[str, float]], quality: float) -> None:
        """One shot: (name, cosine) best first, each name once; quality from 0 to 1 is its weight.

        No matches at all mean that the gallery is empty. A shot of quality 0 says nothing and is not kept.
        """
        if not 0 <= quality <= 1:
            raise ValueError(f"quality {quality} is not from 0 to 1")
        if quality == 0:
            return
        best, highest = matches[0] if matches else (None, -1.0)
        # A list of one is the whole gallery: there is nobody else who could be nearly as close.
        rest = matches[-1][1] if len(matches) > 1 else 0.0
        self._shots.append(_Shot(dict(matches), best, highest, rest, quality))
        self._verdict = self._judge()

    def verdict(self) -> Verdict:
        return self._verdict

    def _judge(self) -> Verdict:
        use, shares = self._settings, self._shares()
        leader, score, margin = self._lead(shares)
        backing = [shot.best is not None and shot.best == leader for shot in self._shots]
        strange = [shot.highest < use.threshold for shot in self._shots]
        is_name_backed = _total(shares, backing) >= use.agreement and self._is_enough(backing)
        if score >= use.threshold and margin >= use.margin and is_name_backed:
            return Verdict("known", leader, score, margin, sum(backing))
        is_strange = _total(shares, strange) >= use.agreement and len(self._shots) >= use.enough_shots
        if score < use.threshold and is_strange:
            return Verdict("unknown", None, score, margin, sum(strange))
        return Verdict("undecided", None, score, margin, sum(backing))

    def _shares(self) -> list[float]:
        """What each shot weighs, by quality and age; together 1."""
        newest = len(self._shots) - 1
        weights = [shot.quality * self._settings.fading ** (newest - at) for at, shot in enumerate(self._shots)]
        total = sum(weights)
        return [weight / total for weight in weights]

    def _lead(self, shares: list[float]) -> tuple[str | None, float, float]:
        """The name with the highest mean cosine, that cosine, and how far it lies above the second."""
        names = sorted({name for shot in self._shots for name in shot.cosines})
        if not names:
            return None, 0.0, 0.0
        means = {
            name: sum(
                share * shot.cosines.get(name, shot.rest) for share, shot in zip(shares, self._shots, strict=True)
            )
            for name in names
        }
        first, *others = sorted(names, key=lambda name: -means[name])
        return first, means[first], means[first] - (means[others[0]] if others else 0.0)

    def _is_enough(self, backing: list[bool]) -> bool:
        """Enough shots for a name, or one that leaves no doubt."""
        use = self._settings
        return sum(backing) >= use.enough_shots or any(
            backs and shot.highest >= use.threshold + use.strong_by and shot.quality >= use.strong_quality
            for backs, shot in zip(backing, self._shots, strict=True)
        )


class Ballots:
    """The ballots of one camera; a name stands on one face of a frame at most."""

    def __init__(self, settings: VoteSettings) -> None:
        self._settings = settings
        self._ballots: dict[int, Ballot] = {}

    def add(self, track: int, matches: Sequence[tuple[str, float]], quality: float) -> None:
        self._ballots.setdefault(track, Ballot(self._settings)).add(matches, quality)

    def verdicts(self, tracks: Sequence[int]) -> dict[int, Verdict]:
        """For each track of one frame; a track without a shot is undecided.

        When one name was earned by two faces, the better evidence keeps it (then the older track) and the other is
        undecided: a person cannot be in two places.
        """
        verdicts = {track: self._ballots[track].verdict() if track in self._ballots else NO_VERDICT for track in tracks}
        taken: set[str] = set()
        for track in sorted(verdicts, key=lambda t: (-verdicts[t].score, -verdicts[t].margin, -verdicts[t].votes, t)):
            name = verdicts[track].name
            if name is None:
                continue
            if name in taken:
                verdicts[track] = replace(verdicts[track], state="undecided", name=None)
            taken.add(name)
        return verdicts

    def forget(self, tracks: Iterable[int]) -> None:
        """These tracks have ended."""
        for track in tracks:
            self._ballots.pop(track, None)


def _total(shares: list[float], counted: list[bool]) -> float:
    return sum(share for share, counts in zip(shares, counted, strict=True) if counts)
