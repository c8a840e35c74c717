"""What the votes say of tracks whose answer is known, at one threshold and at the best that there is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from pipeline.gallery.gallery import Match
from testbench.verification import accepting
from tracker.ballot import Ballot, VoteSettings

_HALVINGS = 12  # of an interval of 2: to a two-thousandth


@dataclass(frozen=True, slots=True)
class Seen:
    """One probe: for each of its shots whom it is like, and its quality."""

    matches: tuple[tuple[Match, ...], ...]
    qualities: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Judged:
    """found            share of the probes that get their own name
    strangers_named  share of the strangers that get any
    """

    threshold: float
    found: float
    strangers_named: float


def judged(
    probes: Sequence[Seen], owners: Sequence[str], strangers: Sequence[Seen], votes: VoteSettings, threshold: float
) -> Judged:
    names = [name_of(seen, votes, threshold) for seen in probes]
    return Judged(
        threshold,
        float(np.mean([name == owner for name, owner in zip(names, owners, strict=True)])),
        float(np.mean([name_of(seen, votes, threshold) is not None for seen in strangers])),
    )


def best_fixed(
    probes: Sequence[Seen], owners: Sequence[str], strangers: Sequence[Seen], votes: VoteSettings, rate: float
) -> Judged:
    """At the lowest threshold at which no more than `rate` of the strangers are named."""
    if all(len(seen.matches) == 1 for seen in (*probes, *strangers)):
        highest = np.array([seen.matches[0][0].score for seen in strangers], np.float64)
        return judged(probes, owners, strangers, votes, accepting(highest, rate))
    low, high = -1.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        named = np.mean([name_of(seen, votes, middle) is not None for seen in strangers])
        low, high = (low, middle) if named <= rate else (middle, high)
    return judged(probes, owners, strangers, votes, high)


def name_of(seen: Seen, votes: VoteSettings, threshold: float) -> str | None:
    """Of several shots by the program's votes; of one, which the votes would wait with, by its score alone."""
    if len(seen.matches) == 1:
        first = seen.matches[0][0]
        return first.name if first.score > threshold else None
    ballot = Ballot(replace(votes, threshold=threshold))
    for matches, quality in zip(seen.matches, seen.qualities, strict=True):
        ballot.add(matches, quality)
    return ballot.verdict().name
