"""Who was seen that has no name: the same as `unknowns list|promote|stranger|delete` do."""

from __future__ import annotations

from fastapi import APIRouter, Response

from app import changing
from app.console import persons
from app.console.answers import JPEG
from app.console.problem import gone
from app.console.schemas import ErasedUnknown, NewName, Promoted, Strangers, Unknown
from app.console.state import Asking, Here, State
from checkpoints.errors import GalleryError
from pipeline.gallery.unknowns import Cluster

router = APIRouter(prefix="/api/unknowns", tags=["unknowns"])


@router.get("")
def unknowns(state: Here) -> list[Unknown]:
    """The one that was seen last comes first."""
    return [_unknown(one) for one in state.unknowns().clusters()]


@router.get("/{cluster}/picture", response_class=Response, responses=JPEG)
def picture(cluster: str, state: Here) -> Response:
    """The best picture."""
    pictures = state.unknowns().pictures(_cluster(state, cluster))
    jpegs = [one.cutout.jpeg for one in pictures if one.cutout is not None]
    if not jpegs:
        raise gone("There is no such picture.", cluster)
    return Response(jpegs[0], media_type="image/jpeg", headers={"Cache-Control": "private, max-age=60"})


@router.post("/{cluster}/promote")
def promote(cluster: str, said: NewName, state: Here, caller: Asking) -> Promoted:
    """Make it a person; past sightings have the name then, too."""
    found = _cluster(state, cluster)
    with state.gallery() as gallery:
        done = changing.promote(state.unknowns(), gallery, found, said.name, state.audit(caller))
        person = persons.named(gallery, said.name)
    return Promoted(person=person, pictures=done.pictures, sightings=done.sightings)


@router.post("/{cluster}/stranger")
def stranger(cluster: str, state: Here, caller: Asking) -> Strangers:
    """Make it a stranger: such a face is given no name again."""
    found = _cluster(state, cluster)
    with state.gallery() as gallery:
        given = changing.make_stranger(state.unknowns(), gallery, found, state.audit(caller))
    return Strangers(pictures=given.pictures)


@router.delete("/{cluster}")
def delete(cluster: str, state: Here, caller: Asking) -> ErasedUnknown:
    found = _cluster(state, cluster)
    faces, sightings = changing.erase_unknown(state.unknowns(), found, state.audit(caller))
    return ErasedUnknown(faces=faces, sightings=sightings)


def _cluster(state: State, wanted: str) -> Cluster:
    try:
        return state.unknowns().cluster(wanted)
    except GalleryError as error:
        raise gone(error.what, wanted) from error


def _unknown(cluster: Cluster) -> Unknown:
    return Unknown(
        id=cluster.id,
        faces=len(cluster.faces),
        sightings=len(cluster.sightings),
        cameras=cluster.cameras,
        first=cluster.first,
        last=cluster.last,
        picture=any(face.landmarks is not None for face in cluster.faces),
    )
