"""Faces that are in sight, and faces on pictures that somebody sends."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, File, UploadFile
from starlette.concurrency import run_in_threadpool

from app import photographs, pictures
from app.console import persons, uploads
from app.console.problem import Problem, gone
from app.console.schemas import FaceToName, Identified, NamedNow, SeenFace
from app.console.state import Asking, Here, State

router = APIRouter(prefix="/api", tags=["faces"])


@router.post("/faces/enrol")
def enrol(said: FaceToName, state: Here, caller: Asking) -> NamedNow:
    """Give a face of the live picture a name."""
    if all(said.camera != camera.name for camera in state.watching.cameras):
        raise gone("There is no such camera.", said.camera)
    with state.gallery() as gallery:
        kept = gallery.name_face(said.camera, said.track, said.name)
        state.audit(caller).tell("named", person=said.name, camera=said.camera, track=said.track, pictures=kept)
        return NamedNow(person=persons.named(gallery, said.name), pictures=kept)


@router.post("/identify")
async def identify(state: Here, picture: Annotated[UploadFile, File()]) -> Identified:
    """Who is on this picture; nothing of it is kept."""
    content = await uploads.content_of(picture)
    why = uploads.refusal(content)
    if why is not None:
        raise _unusable(uploads.label_of(picture), why)
    return await run_in_threadpool(_identified, state, uploads.label_of(picture), content)


def _identified(state: State, label: str, content: bytes) -> Identified:
    try:
        photograph, faces = state.models.identify(content)
    except photographs.Unreadable as error:
        raise _unusable(label, str(error)) from error
    height, width = photograph.image_bgr.shape[:2]
    return Identified(size=(width, height), faces=[SeenFace.model_validate(pictures.as_json(face)) for face in faces])


def _unusable(label: str, why: str) -> Problem:
    return Problem(422, "This picture cannot be used.", saw=f"{label}: {why}", fix="send a JPEG, PNG or WebP picture")
