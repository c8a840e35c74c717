"""People of the gallery as the API tells them. A person's id is made of the name, and holds nothing of it."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from app.console.problem import gone
from app.console.schemas import KeptPicture, Person, PersonWhole, Seen
from pipeline.gallery.edits import Edited
from pipeline.gallery.gallery import Kept
from pipeline.gallery.gallery import Person as Known
from pipeline.gallery.sightings import Sighting


def id_of(name: str) -> str:
    return sha256(b"person\0" + name.encode()).hexdigest()[:16]


def all_of(gallery: Edited) -> list[Person]:
    return [_person(one) for one in gallery.people()]


def find(gallery: Edited, wanted: str) -> Known:
    """Raises Problem 404."""
    found = next((one for one in gallery.people() if id_of(one.name) == wanted), None)
    if found is None:
        raise gone("There is no such person.", wanted)
    return found


def maybe(gallery: Edited, name: str) -> Person | None:
    return next((_person(one) for one in gallery.people() if one.name == name), None)


def named(gallery: Edited, name: str) -> Person:
    found = maybe(gallery, name)
    if found is None:
        raise gone("There is no such person any more.", name)
    return found


def whole(gallery: Edited, known: Known, sightings: Sequence[Sighting]) -> PersonWhole:
    """Best pictures first."""
    kept = sorted(gallery.kept([known.name]), key=lambda one: -one.picture.quality)
    return PersonWhole(
        **_person(known).model_dump(),
        kept=[_kept(one) for one in kept],
        sightings=[Seen(camera=s.camera, event=s.event, first=s.first, last=s.last) for s in sightings],
    )


def jpeg_of(gallery: Edited, known: Known, wanted: str | None) -> bytes | None:
    """Of the best picture that has a cut-out, unless another is wanted."""
    kept = gallery.kept([known.name]) if wanted is None else gallery.kept_of([wanted])
    jpegs = [
        (one.picture.quality, one.picture.cutout.jpeg) for one in kept if one.name == known.name and one.picture.cutout
    ]
    return max(jpegs)[1] if jpegs else None


def _person(known: Known) -> Person:
    return Person(id=id_of(known.name), name=known.name, pictures=known.pictures, since=known.since)


def _kept(kept: Kept) -> KeptPicture:
    picture = kept.picture
    return KeptPicture(
        id=kept.id,
        source=picture.source,
        quality=round(picture.quality, 3),
        enrolled=kept.time,
        cutout=picture.cutout is not None,
    )
