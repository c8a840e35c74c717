"""Who is it, and is it anybody we know? People with several pictures are enrolled with their first one.

Their other pictures have to be given the right name; people with one picture are strangers, who must be given none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from checkpoints.errors import DataError
from engines.detector import Detector
from engines.embedder import Embedder
from testbench.portraits import embed
from testbench.verification import accepting

STRANGERS_NAMED = {"1e-2": 0.01}


@dataclass(frozen=True, slots=True)
class IdentificationReport:
    """dir_at_fpir  share of the probes that get their own name, while this share of the strangers gets one
    rank1        share of the probes that are most like their own enrolled picture, however little
    threshold    cosine from which a name was given, at 1 % of the strangers
    """

    dir_at_fpir: Mapping[str, float]
    rank1: float
    gallery: int
    probes: int
    strangers: int
    threshold: float
    undetected: int
    ms_per_face: float


@dataclass(frozen=True, slots=True)
class Roles:
    """owners  (P,) for each of the probes, which of the enrolled it shows"""

    enrolled: tuple[Path, ...]
    probes: tuple[Path, ...]
    owners: NDArray[np.intp]
    strangers: tuple[Path, ...]


def roles(people: Mapping[str, Sequence[Path]]) -> Roles:
    known = [pictures for pictures in people.values() if len(pictures) > 1]
    strangers = [pictures[0] for pictures in people.values() if len(pictures) == 1]
    for group, needed in ((known, "several pictures, to be found again"), (strangers, "one picture, to be strangers")):
        if not group:
            raise DataError(
                "Identification cannot be measured with these people.",
                saw=f"{len(people)} people, nobody with {needed}",
                fix=f"Add people with {needed}.",
            )
    return Roles(
        enrolled=tuple(pictures[0] for pictures in known),
        probes=tuple(path for pictures in known for path in pictures[1:]),
        owners=np.repeat(np.arange(len(known)), [len(pictures) - 1 for pictures in known]),
        strangers=tuple(strangers),
    )


def measure(detector: Detector, embedder: Embedder, people: Mapping[str, Sequence[Path]]) -> IdentificationReport:
    cast = roles(people)
    portraits = embed([*cast.enrolled, *cast.probes, *cast.strangers], detector, embedder)
    enrolled, probes, strangers = np.split(portraits.vectors, np.cumsum([len(cast.enrolled), len(cast.probes)]), axis=0)
    likeness = probes @ enrolled.T
    strangest = np.max(strangers @ enrolled.T, axis=1).astype(np.float64)
    right, best = np.argmax(likeness, axis=1) == cast.owners, np.max(likeness, axis=1)
    thresholds = {name: accepting(strangest, rate) for name, rate in STRANGERS_NAMED.items()}
    return IdentificationReport(
        dir_at_fpir={name: float(np.mean(right & (best > least))) for name, least in thresholds.items()},
        rank1=float(np.mean(right)),
        gallery=len(enrolled),
        probes=len(probes),
        strangers=len(strangers),
        threshold=thresholds["1e-2"],
        undetected=portraits.undetected,
        ms_per_face=portraits.ms_per_face,
    )
