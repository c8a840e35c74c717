"""From several looks at a face to one name, or to none."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class VoteSettings:
    threshold: float  # cosine from which two faces are one person
    margin: float = 0.05  # by how much the best name must beat the second


@dataclass(frozen=True, slots=True)
class Verdict:
    """state   known (with a name), unknown (nobody of the gallery), undecided (not enough evidence, or it disagrees)
    score   cosine of the leading name, weighted by quality over all shots
    margin  how far it lies above the second name
    votes   shots that speak for this verdict
    """

    state: Literal["known", "unknown", "undecided"]
    name: str | None
    score: float
    margin: float
    votes: int


class Ballot:
    """The evidence on one track."""

    def __init__(self, settings: VoteSettings) -> None:
        raise NotImplementedError

    def add(self, matches: Sequence[tuple[str, float]], quality: float) -> None:
        """One shot: (name, cosine) best first, each name once; quality from 0 to 1 is its weight."""
        raise NotImplementedError

    def verdict(self) -> Verdict:
        raise NotImplementedError


class Ballots:
    """The ballots of one camera; a name stands on one face of a frame at most."""

    def __init__(self, settings: VoteSettings) -> None:
        raise NotImplementedError

    def add(self, track: int, matches: Sequence[tuple[str, float]], quality: float) -> None:
        raise NotImplementedError

    def verdicts(self, tracks: Sequence[int]) -> dict[int, Verdict]:
        """For each track of one frame; a track without a shot is undecided."""
        raise NotImplementedError

    def forget(self, tracks: Iterable[int]) -> None:
        """These tracks have ended."""
        raise NotImplementedError
