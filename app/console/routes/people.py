"""Who is known: the same as `gallery list|show|rename|merge|delete` and `enroll` do."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, File, Form, Response, UploadFile
from starlette.concurrency import run_in_threadpool

from app import changing, erasing
from app.audit import Audit
from app.console import persons, uploads
from app.console.answers import JPEG_OR_NONE
from app.console.gate import Caller
from app.console.problem import Problem, gone
from app.console.schemas import Enrolled, Erasure, Into, NewName, Person, PersonWhole, Refusal
from app.console.state import Asking, Here, State
from app.opened import Opened
from app.photographs import Sent
from pipeline.gallery.sightings import Sightings
from pipeline.outlets.forgetting import belonging

router = APIRouter(prefix="/api/people", tags=["people"])
Pictures = Annotated[list[UploadFile], File(max_length=uploads.MOST_PICTURES)]


@router.get("")
def people(state: Here) -> list[Person]:
    with state.gallery() as gallery:
        return persons.all_of(gallery)


@router.post("")
async def enrol(
    state: Here,
    caller: Asking,
    name: Annotated[str, Form(min_length=1, max_length=100)],
    pictures: Pictures,
    even_if_unlike: Annotated[bool, Form()] = False,
    even_if_known: Annotated[bool, Form()] = False,
) -> Enrolled:
    """Make somebody known, or better known, from photographs that show one face each."""
    return await enrolled(state, caller, name, pictures, even_if_unlike=even_if_unlike, even_if_known=even_if_known)


@router.get("/{person}")
def whole(person: str, state: Here) -> PersonWhole:
    with state.gallery() as gallery:
        found = persons.find(gallery, person)
        return persons.whole(gallery, found, _sightings(state).of(found.name))


@router.get("/{person}/picture", response_class=Response, responses=JPEG_OR_NONE)
def picture(person: str, state: Here, picture: str | None = None) -> Response:
    """The best picture, or the one of this id."""
    with state.gallery() as gallery:
        jpeg = persons.jpeg_of(gallery, persons.find(gallery, person), picture)
    if jpeg is None and picture is not None:
        raise gone("There is no such picture.", picture)
    if jpeg is None:
        return Response(status_code=204)
    return Response(jpeg, media_type="image/jpeg", headers={"Cache-Control": "private, max-age=60"})


@router.get("/{person}/erasure")
def erasure(person: str, state: Here) -> Erasure:
    """What deleting would erase."""
    with state.gallery() as gallery:
        name = persons.find(gallery, person).name
        pictures = len(list(gallery.entries([name])))
    sightings = _sightings(state).of(name)
    events = belonging(state.store, name, [erasing.seen_of(one) for one in sightings])
    return Erasure(pictures=pictures, sightings=len(sightings), events=events)


@router.patch("/{person}")
def rename(person: str, said: NewName, state: Here, caller: Asking) -> Person:
    """Its id is another one afterwards."""
    with state.gallery() as gallery:
        name = persons.find(gallery, person).name
        changing.rename(gallery, state.gallery_config, name, said.name, state.audit(caller))
        return persons.named(gallery, said.name)


@router.delete("/{person}")
def delete(person: str, state: Here, caller: Asking) -> Erasure:
    """Forget a person and erase everything about it."""
    with state.gallery() as gallery:
        name = persons.find(gallery, person).name
        erased = erasing.erase(Opened(gallery, state.gallery_config, state.chosen, state.audit(caller)), name)
    return Erasure(pictures=erased.pictures, sightings=erased.sightings, events=erased.events)


@router.delete("/{person}/pictures/{picture}")
def delete_picture(person: str, picture: str, state: Here, caller: Asking) -> Erasure:
    """Erase one picture; with the last one the person is forgotten."""
    with state.gallery() as gallery:
        name = persons.find(gallery, person).name
        if all(entry.name != name for entry in gallery.entries_of([picture])):
            raise gone("There is no such picture.", picture)
        count = gallery.remove([picture])
    state.audit(caller).tell("erased a picture", person=name, pictures=count)
    return Erasure(pictures=count, sightings=0, events=0)


@router.post("/{person}/merge")
def merge(person: str, said: Into, state: Here, caller: Asking) -> Person:
    """This person is the other one: all pictures become the other's."""
    with state.gallery() as gallery:
        name, into = persons.find(gallery, person).name, persons.find(gallery, said.into).name
        changing.merge(gallery, state.gallery_config, name, into, state.audit(caller))
        return persons.named(gallery, into)


async def enrolled(
    state: State,
    caller: Caller,
    name: str | None,
    pictures: list[UploadFile],
    *,
    even_if_unlike: bool,
    even_if_known: bool,
) -> Enrolled:
    refused: list[Refusal] = []
    sent: list[Sent] = []
    for upload in pictures:
        label, content = uploads.label_of(upload), await uploads.content_of(upload)
        why = uploads.refusal(content)
        if why is None:
            sent.append(Sent(label, content))
        else:
            refused.append(Refusal(file=label, why=why))
    audit = state.audit(caller)
    return await run_in_threadpool(_enrolled, state, name, sent, refused, even_if_unlike, even_if_known, audit)


def _sightings(state: State) -> Sightings:
    return Sightings(state.gallery_config.path, state.gallery_config.seal)


def _enrolled(
    state: State,
    name: str | None,
    sent: list[Sent],
    refused: list[Refusal],
    unlike: bool,
    known: bool,
    audit: Audit,
) -> Enrolled:
    if not sent and not refused:
        raise Problem(422, "No picture was sent.", fix="send at least one in the field pictures")
    if not sent:
        return Enrolled(person=None, kept=0, known=0, refused=refused)
    report = state.models.enrol(name, sent, even_if_unlike=unlike, even_if_known=known, audit=audit)
    refused += [Refusal(file=str(one.path), why=one.why) for one in report.refused]
    with state.gallery() as gallery:
        person = persons.maybe(gallery, name) if name is not None else None
    return Enrolled(person=person, kept=report.kept, known=report.known, refused=refused)
