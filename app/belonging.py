"""Do these pictures belong to this person? Wrong ones would give a known name to strangers from then on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.photographs import Source
from checkpoints.manifest import Manifest
from pipeline.gallery.chance import Likeness
from pipeline.gallery.gallery import Gallery, Picture

# Of pictures of strangers one in a thousand is more alike: of 328 portraits, one in two hundred of which is less like
# the nearest of two or three others of the same person (SFace).
_UNLIKE_SHARE = 1e-3
_MARGIN = 0.05


@dataclass(frozen=True, slots=True)
class Limits:
    """Cosines. same: from here on two faces are one person's; other: below, they hardly can be."""

    same: float
    other: float


@dataclass(frozen=True, slots=True)
class Candidate:
    path: Source
    picture: Picture


def limits_of(known: Manifest) -> Limits:
    same = known.match_threshold
    assert same is not None
    if known.impostors is None:
        return Limits(same, 0.75 * same)
    strangers = Likeness(known.impostors.of_shots(1).strangers, shares_above=True)
    return Limits(same, min(float(strangers.cosine_of(_UNLIKE_SHARE)), same))


def known_as_others(
    gallery: Gallery, name: str | None, candidates: Sequence[Candidate], limits: Limits
) -> dict[Source, str]:
    """Path → why: it is nearer to somebody else than to this person's own pictures, and near enough to be that one."""
    if not candidates:
        return {}
    reasons: dict[Source, str] = {}
    found = gallery.search(np.stack([one.picture.embedding for one in candidates]), limit=2)
    for one, matches in zip(candidates, found, strict=True):
        own = max((match.score for match in matches if match.name == name), default=-1.0)
        others = [match for match in matches if match.name != name]
        if others and others[0].score >= max(limits.same, own - _MARGIN):
            who = "one of the strangers" if others[0].name is None else others[0].name
            reasons[one.path] = f"this is already {who} (cosine {others[0].score:.2f}); --even-if-known takes it"
    return reasons


def unlike_the_others(own: NDArray[np.float32], candidates: Sequence[Candidate], limits: Limits) -> dict[Source, str]:
    """Path → why: it is like none of the person's pictures, neither the kept ones `own` (N, D) nor those of now.

    Of new people the picture that is most like all others is taken first, then whatever is like one of those taken.
    """
    if not candidates or (len(candidates) < 2 and not len(own)):
        return {}
    rows = np.stack([one.picture.embedding for one in candidates])
    near = rows @ rows.T
    likeness = (rows @ own.T).max(axis=1) if len(own) else near[int(np.argmax(near.sum(axis=1)))]
    taken = np.zeros(len(candidates), np.bool_)
    while (fits := (likeness >= limits.other) & ~taken).any():
        taken |= fits
        likeness = np.maximum(likeness, near[fits].max(axis=0))
    return {
        one.path: f"unlike the other pictures of this person (cosine {best:.2f} to the nearest, "
        f"at least {limits.other:.2f} is expected); --even-if-unlike takes it"
        for one, is_taken, best in zip(candidates, taken, likeness, strict=True)
        if not is_taken
    }
