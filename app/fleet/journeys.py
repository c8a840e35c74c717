"""From where somebody was seen to the way that he or she went: camera after camera.

A *stay* is a time in front of one camera, without a gap that is worth telling. A *journey* is a row of stays; who is
not seen anywhere for long begins another one. Views that overlap give stays that overlap.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from pipeline.outlets.store import Store
from pipeline.outlets.stored import Wanted

STAY_GAP_S = 60.0  # an unchanged name is told again about every ten seconds, a face may be hidden for a while
PAUSE_S = 1800.0


@dataclass(frozen=True, slots=True)
class Seen:
    """first, last  UTC, ISO 8601"""

    camera: str
    first: str
    last: str


@dataclass(frozen=True, slots=True)
class Stay:
    """times  how often it was told"""

    camera: str
    first: str
    last: str
    times: int


@dataclass(frozen=True, slots=True)
class Journey:
    """who    a name, or the id of somebody unknown
    stays  by their beginning
    """

    who: str
    stays: tuple[Stay, ...]

    @property
    def first(self) -> str:
        return self.stays[0].first

    @property
    def last(self) -> str:
        return max(stay.last for stay in self.stays)

    @property
    def cameras(self) -> list[str]:
        """In the order in which they were come to; one that was come back to stands there again."""
        return [camera for camera, _ in groupby(stay.camera for stay in self.stays)]


def journeys(
    who: str, seen: Iterable[Seen], *, stay_gap_s: float = STAY_GAP_S, pause_s: float = PAUSE_S
) -> list[Journey]:
    """Oldest first."""
    made: list[list[Stay]] = []
    until_s = float("-inf")
    for stay in stays(seen, stay_gap_s):
        if seconds(stay.first) - until_s > pause_s:
            made.append([])
        made[-1].append(stay)
        until_s = max(until_s, seconds(stay.last))
    return [Journey(who, tuple(each)) for each in made]


def stays(seen: Iterable[Seen], gap_s: float) -> list[Stay]:
    """What lies close together at one camera is one stay; by their beginning."""
    found: list[Stay] = []
    ordered = sorted(seen, key=lambda one: (one.camera, one.first, one.last))
    for _, of_camera in groupby(ordered, key=lambda one: one.camera):
        found += _stays_of_one(list(of_camera), gap_s)
    return sorted(found, key=lambda stay: (stay.first, stay.last, stay.camera))


def _stays_of_one(seen: Sequence[Seen], gap_s: float) -> list[Stay]:
    found: list[Stay] = []
    for one in seen:
        if found and seconds(one.first) - seconds(found[-1].last) <= gap_s:
            before = found.pop()
            found.append(Stay(one.camera, before.first, max(before.last, one.last), before.times + 1))
        else:
            found.append(Stay(one.camera, one.first, one.last, 1))
    return found


def seen_in(store: Store, name: str, since: str) -> list[Seen]:
    """Each event of this person is one moment in front of a camera."""
    found = store.all(Wanted(person=name, since=_moment(since)))
    return [Seen(one.body["camera"], one.body["t"], one.body["t"]) for one in found]


def seconds(iso: str) -> float:
    return _moment(iso).timestamp()


def _moment(iso: str) -> datetime:
    return datetime.fromisoformat(iso.replace("Z", "+00:00"))
