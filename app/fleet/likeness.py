"""Unknown people of many cameras: each camera numbers its own, and by their faces they are found to be one person.

The rule is the one by which a camera puts sightings together (`pipeline.gallery.unknowns`). Nobody is in front of one
camera twice at the same time, so two who were are two people, however alike they are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.fleet.journeys import Seen
from checkpoints.sealed import Seal
from pipeline.gallery.unknowns import MERGE_BY, Cluster, Unknowns


@dataclass(frozen=True, slots=True)
class Met:
    """Somebody unknown, as one camera's run knows him or her.

    id         camera/cluster; with the machine where two machines call others so
    faces      (N, D) float32 of unit length, in `space`
    qualities  (N,) float32
    seen       in the order of time, at least one
    """

    id: str
    space: str
    faces: NDArray[np.float32]
    qualities: NDArray[np.float32]
    seen: tuple[Seen, ...]

    @property
    def first(self) -> str:
        return self.seen[0].first


def met_on_machine(cameras: Path, since: str, seal: Seal) -> list[Met]:
    """What all runs that were on this machine have kept of unknown people.

    cameras  the folder with a data folder for each camera
    since    UTC, ISO 8601: who was not seen later is left out
    """
    found = []
    for folder in sorted(cameras.glob("*/gallery")):
        clusters = Unknowns(folder, seal=seal).clusters()
        found += [met for cluster in clusters if (met := _met(folder.parent.name, cluster, since)) is not None]
    return found


def of_machines(found: Iterable[tuple[str, Iterable[Met]]]) -> list[Met]:
    """Of all machines, each once. A camera that was moved numbers anew, and may call somebody else the same.

    found  address of each, and whom its cameras have kept
    """
    called: defaultdict[str, dict[bytes, tuple[str, Met]]] = defaultdict(dict)
    for address, met in found:
        for one in met:
            called[one.id].setdefault(one.faces.tobytes(), (address, one))
    return [
        one if len(others) == 1 else replace(one, id=f"{one.id}@{address}")
        for others in called.values()
        for address, one in others.values()
    ]


def joined(met: Iterable[Met], near: float) -> list[tuple[Met, ...]]:
    """Those who are one person are together; by when they were seen first.

    near  cosine from which two faces count as one person's
    """
    ordered = sorted({one.id: one for one in met}.values(), key=lambda one: (one.space, one.first, one.id))
    people: list[list[Met]] = []
    for space in sorted({one.space for one in ordered}):
        people += _Joining([one for one in ordered if one.space == space], near).people()
    return sorted((tuple(one) for one in people), key=lambda one: (one[0].first, one[0].id))


class _Joining:
    """`_person[i]`  number of the person that the i-th is; the smallest number of those that became one"""

    def __init__(self, met: Sequence[Met], near: float) -> None:
        self._met = met
        self._near = near
        self._faces = np.concatenate([one.faces for one in met])
        self._starts = np.cumsum([0, *(len(one.faces) for one in met)])
        self._owners = np.repeat(np.arange(len(met)), [len(one.faces) for one in met])
        self._person = np.arange(len(met))

    def people(self) -> list[list[Met]]:
        for index in range(1, len(self._met)):
            self._join(index)
        return [self._members(person) for person in sorted(set(self._person.tolist()))]

    def _join(self, index: int) -> None:
        scores = self._scores(index)
        fit = [person for person in np.argsort(-scores, kind="stable").tolist() if scores[person] >= self._near]
        into = next((person for person in fit if not self._clash(index, person)), None)
        if into is None:
            return
        self._person[index] = into
        for other in fit:
            is_sure = other != into and min(scores[into], scores[other]) >= self._near + MERGE_BY
            if is_sure and not self._clash(into, other):
                self._person[self._person == other] = into

    def _scores(self, index: int) -> NDArray[np.float64]:
        """Of each person so far: how like the nearest face each face is, the mean by their quality."""
        one, until = self._met[index], int(self._starts[index])
        people = self._person[self._owners[:until]]
        best = np.full((index, len(one.faces)), -1.0)
        np.maximum.at(best, people, (self._faces[:until] @ one.faces.T).astype(np.float64))
        weighed: NDArray[np.float64] = np.average(best, axis=1, weights=np.maximum(one.qualities, 1e-3))
        return weighed

    def _clash(self, person: int, other: int) -> bool:
        """Both in front of one camera at one time."""
        of_other = self._members(other)
        return any(_together(one, two) for one in self._members(person) for two in of_other)

    def _members(self, person: int) -> list[Met]:
        return [self._met[index] for index in np.flatnonzero(self._person == person).tolist()]


def _together(one: Met, other: Met) -> bool:
    return any(a.camera == b.camera and a.first <= b.last and b.first <= a.last for a in one.seen for b in other.seen)


def _met(camera: str, cluster: Cluster, since: str) -> Met | None:
    seen = tuple(Seen(one.camera, one.first, one.last) for one in cluster.sightings if one.last >= since)
    if not seen or not cluster.faces:
        return None
    spaces = [face.space for face in cluster.faces]
    space = max(set(spaces), key=lambda each: (spaces.count(each), each))
    faces = [face for face in cluster.faces if face.space == space]
    return Met(
        f"{camera}/{cluster.id}",
        space,
        np.stack([face.embedding for face in faces]),
        np.array([face.quality for face in faces], np.float32),
        seen,
    )


def seen_of(people: Sequence[Met]) -> Iterator[Seen]:
    for one in people:
        yield from one.seen
