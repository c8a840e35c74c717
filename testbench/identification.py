"""Who is it, and is it anybody we know? People with several pictures are enrolled with their first ones.

Their other pictures have to be given the right name; people with one picture are strangers, who must be given none.
A probe is one picture, or a track of several, on which the votes decide as in the program. A stranger's track shows the
one picture again and again: in video, too, the shots of a track look alike, so several are as wrong as one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from checkpoints.errors import DataError
from checkpoints.manifest import Manifest
from pipeline.config import GalleryConfig, Matcher
from pipeline.gallery import matcher as matchers
from pipeline.gallery.calibration import calibrate
from pipeline.gallery.gallery import Match, Picture
from pipeline.gallery.memory import MemoryGallery
from testbench.portraits import Portraits
from testbench.verdicts import Judged, Seen, best_fixed, judged

STRANGERS_NAMED = {"1e-2": 0.01}
Look = Callable[[Sequence[Path]], Portraits]


@dataclass(frozen=True, slots=True)
class Setup:
    """matcher   what tells people apart
    enrolled  pictures of each person in the gallery
    shots     pictures that a probe is made of
    """

    matcher: Matcher = "nearest"
    enrolled: int = 1
    shots: int = 1


@dataclass(frozen=True, slots=True)
class Promise:
    """The threshold that calibration gives without having seen a probe, and what it comes to.

    promised, seen         share of strangers that are given a name
    dir, expected_dir      share of the probes that get their own name, in fact and as calibration says
    dir_in_hindsight       the same with the best threshold at the promised share of strangers, chosen afterwards
    """

    threshold: float
    promised: float
    seen: float
    dir: float
    expected_dir: float | None
    dir_in_hindsight: float
    threshold_in_hindsight: float
    basis: str


@dataclass(frozen=True, slots=True)
class IdentificationReport:
    """dir_at_fpir  share of the probes that get their own name, while this share of the strangers gets one
    rank1        share of the probes that are most like their own enrolled picture, however little
    threshold    score from which a name was given, at 1 % of the strangers
    gallery      people in it
    calibrated   None: not asked for
    """

    dir_at_fpir: Mapping[str, float]
    rank1: float
    gallery: int
    probes: int
    strangers: int
    threshold: float
    undetected: int
    ms_per_face: float
    calibrated: Promise | None


@dataclass(frozen=True, slots=True)
class Roles:
    """enrolled   each person's pictures for the gallery
    probes     tracks of pictures
    owners     (P,) for each of the probes, which of the enrolled it shows
    strangers  one picture each
    """

    names: tuple[str, ...]
    enrolled: tuple[tuple[Path, ...], ...]
    probes: tuple[tuple[Path, ...], ...]
    owners: NDArray[np.intp]
    strangers: tuple[Path, ...]


def roles(people: Mapping[str, Sequence[Path]], setup: Setup = Setup()) -> Roles:
    known = {name: pictures for name, pictures in people.items() if len(pictures) >= setup.enrolled + setup.shots}
    strangers = [pictures[0] for pictures in people.values() if len(pictures) == 1]
    needs = f"{setup.enrolled + setup.shots} pictures or more, to be found again" if setup != Setup() else ""
    several = needs or "several pictures, to be found again"
    for group, needed in ((known, several), (strangers, "one picture, to be strangers")):
        if not group:
            raise DataError(
                "Identification cannot be measured with these people.",
                saw=f"{len(people)} people, nobody with {needed}",
                fix=f"Add people with {needed}.",
            )
    tracks = [_tracks(pictures[setup.enrolled :], setup.shots) for pictures in known.values()]
    return Roles(
        names=tuple(known),
        enrolled=tuple(tuple(pictures[: setup.enrolled]) for pictures in known.values()),
        probes=tuple(track for of_one in tracks for track in of_one),
        owners=np.repeat(np.arange(len(known)), [len(of_one) for of_one in tracks]),
        strangers=tuple(strangers),
    )


def measure(
    people: Mapping[str, Sequence[Path]],
    look: Look,
    known: Manifest,
    setup: Setup = Setup(),
    *,
    promised: float | None = None,
) -> IdentificationReport:
    """`promised`: the rate of false names to calibrate for, with the table of `known`."""
    cast = roles(people, setup)
    shown = look([path for group in (*cast.enrolled, *cast.probes, cast.strangers) for path in group])
    gallery = MemoryGallery(space=known.embedding_space, dim=shown.vectors.shape[1])
    rows = iter(range(len(shown.vectors)))
    for name, paths in zip(cast.names, cast.enrolled, strict=True):
        gallery.add(name, [Picture(shown.vectors[next(rows)], str(path), 1.0) for path in paths])
    with TemporaryDirectory() as folder:
        # What calibration would say is asked for below; here any threshold will do.
        config = GalleryConfig(Path(folder), matcher=setup.matcher, match_threshold=0.0)
        matcher = matchers.open_matcher(gallery, known, config)
        found = matcher.match(shown.vectors, limit=3)
        matcher.close()
    probes = [_seen(found, shown, [next(rows) for _ in track]) for track in cast.probes]
    strangers = [_seen(found, shown, [next(rows)] * setup.shots) for _ in cast.strangers]
    owners = [cast.names[owner] for owner in cast.owners]
    best = {name: best_fixed(probes, owners, strangers, matcher.votes, rate) for name, rate in STRANGERS_NAMED.items()}
    promise = None
    if promised is not None:
        margin = matcher.votes.margin if setup.shots > 1 else 0.0
        made = calibrate(gallery, known, promised, margin=margin)
        hindsight = best_fixed(probes, owners, strangers, matcher.votes, promised)
        came_to = judged(probes, owners, strangers, matcher.votes, made.threshold)
        promise = _promise(made.threshold, promised, made.expected_misses, made.basis, came_to, hindsight)
    return IdentificationReport(
        dir_at_fpir={name: one.found for name, one in best.items()},
        rank1=float(np.mean([_leader(seen) == owner for seen, owner in zip(probes, owners, strict=True)])),
        gallery=len(cast.names),
        probes=len(probes),
        strangers=len(strangers),
        threshold=best["1e-2"].threshold,
        undetected=shown.undetected,
        ms_per_face=shown.ms_per_face,
        calibrated=promise,
    )


def _tracks(pictures: Sequence[Path], shots: int) -> list[tuple[Path, ...]]:
    """As many whole tracks as there are pictures for."""
    return [tuple(pictures[at : at + shots]) for at in range(0, len(pictures) - shots + 1, shots)]


def _seen(found: Sequence[Sequence[Match]], shown: Portraits, rows: Sequence[int]) -> Seen:
    return Seen(tuple(tuple(found[row]) for row in rows), tuple(float(shown.qualities[row]) for row in rows))


def _leader(seen: Seen) -> str | None:
    """Whom most of the likeness speaks for, whatever the threshold."""
    totals: dict[str | None, float] = {}
    for matches in seen.matches:
        for match in matches:
            totals[match.name] = totals.get(match.name, 0.0) + match.score
    return max(totals, key=lambda name: totals[name]) if totals else None


def _promise(
    threshold: float, rate: float, misses: float | None, basis: str, came_to: Judged, hindsight: Judged
) -> Promise:
    return Promise(
        threshold=threshold,
        promised=rate,
        seen=came_to.strangers_named,
        dir=came_to.found,
        expected_dir=None if misses is None else 1 - misses,
        dir_in_hindsight=hindsight.found,
        threshold_in_hindsight=hindsight.threshold,
        basis=basis,
    )
