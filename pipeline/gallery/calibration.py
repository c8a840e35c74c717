"""From a wished rate of false names to the threshold for a gallery of this size, with what it will cost in misses.

The threshold follows from a table in the embedder's manifest (how alike strangers are), the number of people and of
pictures, and how alike the different people of the gallery itself are, once there are enough. So it is stale as soon as
the gallery's content is another, and is then simply computed again: a second's work at the most, done when the program
starts. The rate counts strangers' tracks, not their shots: the shots of one track show one appearance of a face and are
as wrong as one of them, so no credit is taken for there being several.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Literal

import numpy as np

from checkpoints import json_text
from checkpoints.errors import GalleryError
from checkpoints.impostors import Impostors
from checkpoints.manifest import Manifest
from pipeline.gallery import chance
from pipeline.gallery.gallery import Gallery
from pipeline.gallery.kinship import ALONE_PEOPLE, ENOUGH_PEOPLE, Kinship, kinship

FILE_NAME = "calibration.json"
Basis = Literal["table", "gallery", "both"]


@dataclass(frozen=True, slots=True)
class Calibration:
    """threshold        cosine from which a name may be given
    rate             share of the strangers' tracks that may be given one
    people, pictures  of the gallery
    expected_misses  share of the known people's tracks that will not get their name; None: cannot be told
    content_hash     of the gallery that it was made for
    space            embedding space
    margin           by how much the first name must beat the second
    basis            what it rests on: the model's table, the gallery's own people, or both
    shift            how much more alike people are here than in the table, as far as it was believed
    """

    threshold: float
    rate: float
    people: int
    pictures: int
    expected_misses: float | None
    content_hash: str
    space: str
    margin: float
    basis: Basis
    shift: float = 0.0


def calibrate(gallery: Gallery, known: Manifest, rate: float, *, margin: float = 0.05, shots: int = 1) -> Calibration:
    """`shots` above 1 only for tracks whose shots are as different as photographs of different days."""
    if not 0 < rate < 1:
        raise ValueError(f"a rate of {rate} is not between 0 and 1")
    people = gallery.people()
    if not people:
        raise GalleryError(
            "There is nothing to calibrate.", saw="nobody is enrolled", fix="enrol people first: enroll NAME IMAGE…"
        )
    kin = kinship(gallery)
    table, basis, shift = _table(known, kin)
    pictures = sum(person.pictures for person in people)
    at_this_size = chance.chances(table, len(people), pictures, shots=shots, margin=margin, shift=shift)
    false_names, grid = at_this_size.false_names(), chance.thresholds()
    at = int(np.argmax(false_names <= rate))
    misses = at_this_size.misses()
    return Calibration(
        threshold=round(float(grid[at]), 4),
        rate=rate,
        people=len(people),
        pictures=pictures,
        expected_misses=None if misses is None else round(float(misses[at]), 4),
        content_hash=gallery.content_hash(),
        space=gallery.space,
        margin=margin,
        basis=basis,
        shift=round(shift, 4),
    )


def threshold_for_size(known: Manifest, pictures: int, rate: float, *, margin: float) -> float | None:
    """For a gallery that cannot be listed: by the model's table alone, each picture a person; None without a table."""
    if known.impostors is None:
        return None
    at_this_size = chance.chances(known.impostors, pictures, pictures, margin=margin)
    return round(float(chance.thresholds()[int(np.argmax(at_this_size.false_names() <= rate))]), 4)


def for_gallery(
    folder: Path, gallery: Gallery, known: Manifest, rate: float, *, margin: float = 0.05
) -> Calibration | None:
    """The kept one if it is still right, else a new one, which is kept; None where none can be told."""
    kept = load(folder, space=gallery.space, content_hash=gallery.content_hash())
    if kept is not None and kept.rate == rate and kept.margin == margin:
        return kept
    try:
        made = calibrate(gallery, known, rate, margin=margin)
    except GalleryError:
        return None
    save(folder, made)
    return made


def load(folder: Path, *, space: str, content_hash: str) -> Calibration | None:
    """None: there is none, or it was made for another content, or is damaged."""
    try:
        held = json_text.read((folder / FILE_NAME).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError, ValueError, UnicodeDecodeError):
        return None
    if not isinstance(held, dict) or held.keys() != {field.name for field in fields(Calibration)}:
        return None
    if held["content_hash"] != content_hash or held["space"] != space:
        return None
    threshold, rate = held["threshold"], held["rate"]
    numbers = isinstance(threshold, float) and isinstance(rate, float) and -1 <= threshold <= 1
    return Calibration(**held) if numbers else None


def save(folder: Path, calibration: Calibration) -> None:
    """Whole or not at all, whatever happens meanwhile."""
    path = folder / FILE_NAME
    fresh = path.with_name(f"{FILE_NAME}.{os.getpid()}")
    try:
        fresh.write_text(json.dumps(asdict(calibration), indent=2) + "\n", encoding="utf-8")
        fresh.replace(path)
    except OSError as error:
        raise GalleryError(
            "The calibration cannot be kept.",
            saw=f"{path}: {error.strerror}",
            fix="make room, or make the gallery's folder writable",
        ) from error


def _table(known: Manifest, kin: Kinship) -> tuple[Impostors, Basis, float]:
    """What to reckon with, what that is, and by how much strangers are more alike here."""
    if known.impostors is not None:
        elsewhere = chance.Likeness(known.impostors.of_shots(1).strangers, shares_above=True)
        basis: Basis = "both" if kin.people >= ENOUGH_PEOPLE else "table"
        return known.impostors, basis, kin.shift(elsewhere)
    own = kin.table()
    if own is None:
        raise GalleryError(
            "No threshold can be told for this gallery.",
            saw=f"{known.name} has no table of impostors in its manifest, and {kin.people} people are enrolled",
            fix=f"enrol {ALONE_PEOPLE} people, or measure the model: python -m testbench.impostors",
        )
    return own, "gallery", 0.0
