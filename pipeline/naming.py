"""A face that is in sight is given a name by somebody who looks on: from its best shots, or the reason why not."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from checkpoints.errors import EnrolmentError, GalleryError
from pipeline.evidence import Look
from pipeline.gallery.gallery import Cutout, Gallery, Picture
from pipeline.gallery.intake import check_name
from pipeline.gallery.matcher import Matcher
from pipeline.gallery.unknown_tracks import BEST_SHOTS, MIN_QUALITY
from pipeline.gallery.unknowns import Shot


@dataclass(frozen=True, slots=True)
class NamingShot:
    """embedding (D,); cutout: None where nothing was kept of the face"""

    embedding: NDArray[np.float32]
    quality: float
    cutout: Cutout | None


def shots_of(looks: Sequence[Look], kept: Sequence[Shot]) -> list[NamingShot]:
    """The clearest of what is known of one face; those with a cut-out go first, for they can be shown to people."""
    if kept:
        return [NamingShot(shot.embedding, shot.quality, shot.cutout) for shot in kept]
    clear = sorted((look for look in looks if look.quality >= MIN_QUALITY), key=lambda look: -look.quality)
    return [NamingShot(look.embedding, look.quality, None) for look in clear[:BEST_SHOTS]]


def pictured(shots: Sequence[NamingShot], cutout: Cutout | None) -> list[NamingShot]:
    """The first one with this cut-out of the same face, so that people can see who it is."""
    return [replace(shots[0], cutout=cutout), *shots[1:]] if shots else []


def give(name: str, face: str, shots: Sequence[NamingShot], gallery: Gallery, matcher: Matcher) -> int:
    """Keep the shots as pictures of this person; return how many are new. `face`: for people to read.

    EnrolmentError for what cannot be a name or is not clear enough, GalleryError for a face that is somebody else.
    """
    check_name(name)
    if not shots:
        raise EnrolmentError(
            "This face cannot be given a name now.",
            saw=f"{face} is out of sight, or was not seen clearly enough yet",
            fix="wait until it looks into the camera, or enrol it from a photograph",
        )
    for matches in matcher.match(np.stack([shot.embedding for shot in shots]), 1):
        if matches and matches[0].name != name and matches[0].score >= matcher.threshold:
            who = "one of the strangers" if matches[0].name is None else matches[0].name
            raise GalleryError(
                "This face is somebody else already.",
                saw=f"{face} is {who} (cosine {matches[0].score:.2f})",
                fix="rename or merge the person, or enrol a photograph with --even-if-known",
            )
    pictures = [Picture(shot.embedding, _digest(shot), shot.quality, shot.cutout, face) for shot in shots]
    return gallery.add(name, pictures)


def _digest(shot: NamingShot) -> str:
    """Of the embedding: the picture itself may not have been kept."""
    return hashlib.sha256(shot.embedding.tobytes()).hexdigest()
