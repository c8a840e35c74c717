"""Where somebody was seen: from photographs of one person to sightings that are like them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timezone
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app import flags, photographs
from app.archive.shelf import SIGHTING, Hit, Shelf, Wanted
from app.one_face import SEEN_FACE_PX, FaceEmbedder, Refused, picture_of
from app.settings import Settings
from app.square import SQUARE_PX
from checkpoints.errors import ArchiveError, SettingsError
from checkpoints.manifest import Manifest
from engines.detector import Detector
from engines.load import load_detector, load_embedder
from engines.models import embedder_model
from pipeline.gallery.chance import Likeness


@dataclass(frozen=True, slots=True)
class Found:
    """hits       the most alike first
    threshold  cosine from which a sighting is listed
    among      how many sightings there were to choose from
    """

    hits: tuple[Hit, ...]
    threshold: float
    among: int


def photographed(chosen: Settings, paths: Sequence[Path], say: Callable[[str], object]) -> NDArray[np.float32]:
    """(N, D) of unit length: the faces of the photographs that can be used; ArchiveError when there is none."""
    files = photographs.find(paths)
    options = flags.engine_options(chosen)
    seeing = replace(options, min_face_px=min(options.min_face_px, SEEN_FACE_PX))
    detector = load_detector(seeing, size_wh=(SQUARE_PX, SQUARE_PX))
    embedder = load_embedder(options, batch=1)
    rows, problems = faces_of(files, detector, embedder)
    detector.close()
    embedder.close()
    if not rows:
        raise ArchiveError(
            "There is no photograph to search with.",
            saw="\n".join(problems),
            fix="give a clear photograph that shows one face",
        )
    for problem in problems:
        say(f"not used: {problem}")
    return np.stack(rows)


def faces_of(
    files: Sequence[Path], detector: Detector, embedder: FaceEmbedder
) -> tuple[list[NDArray[np.float32]], list[str]]:
    """(D,) of unit length for each photograph that can be used, and what is wrong with the others."""
    rows, problems = [], []
    for path in files:
        try:
            rows.append(picture_of(path, detector, embedder).embedding)
        except (photographs.Unreadable, Refused) as error:
            problems.append(f"{path}: {error}")
    return rows, problems


def find(shelf: Shelf, faces: NDArray[np.float32], wanted: Wanted, chosen: Settings, *, limit: int) -> Found:
    """Each sighting once, with its likeness to the photograph that is most like it."""
    among = shelf.count(SIGHTING, wanted)
    known = embedder_model(flags.engine_options(chosen)).known
    least = threshold(known, among * len(faces), chosen.archive.false_sightings)
    best: dict[str, Hit] = {}
    for hits in shelf.search(faces, limit, least, wanted) if among else ():
        for hit in hits:
            if hit.sighting.id not in best or hit.score > best[hit.sighting.id].score:
                best[hit.sighting.id] = hit
    order = sorted(best.values(), key=lambda hit: (-hit.score, hit.sighting.first, hit.sighting.id))
    return Found(tuple(order[:limit]), least, among)


def threshold(known: Manifest, comparisons: int, false_sightings: float) -> float:
    """The cosine that so many of these comparisons with strangers pass, by what was measured of the embedder."""
    assert known.match_threshold is not None
    if known.impostors is None:
        return known.match_threshold
    strangers = Likeness(known.impostors.of_shots(1).strangers, shares_above=True)
    share = min(false_sightings / max(comparisons, 1), 0.5)
    return round(strangers.cosine_of(share), 4)


def wanted(cameras: Sequence[str], since: str | None, until: str | None) -> Wanted:
    return Wanted(
        tuple(cameras),
        None if since is None else moment(since, "--since"),
        None if until is None else moment(until, "--until", end=True),
    )


def moment(text: str, flag: str, *, end: bool = False) -> str:
    """UTC, ISO 8601, of a day or a time as people write it, by this machine's clock unless it says otherwise."""
    try:
        said = datetime.fromisoformat(re.sub(r"[zZ]$", "+00:00", text.strip()))
    except ValueError:
        raise SettingsError(
            "This is not a time.",
            saw=f"{flag} {text}",
            fix="write 2026-01-31, 2026-01-31 12:00 or 2026-01-31T12:00:00Z",
        ) from None
    if end and re.fullmatch(r"\s*[\d-]+\s*", text):
        said = datetime.combine(said.date(), time.max)
    return said.astimezone(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
