"""What the cameras see: a list, live pictures, the newest picture, the faces in it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from app.console import live
from app.console.answers import JPEG, MULTIPART
from app.console.live import LiveResponse, about
from app.console.problem import Problem, gone
from app.console.run_schemas import Camera
from app.console.schemas import CameraFaces
from app.console.state import Here, State

router = APIRouter(prefix="/api", tags=["cameras"])


@router.get("/cameras")
def cameras(state: Here) -> list[Camera]:
    return cameras_of(state)


@router.get("/live", response_class=Response, responses=MULTIPART)
async def live_of_all(state: Here, camera: Annotated[list[str] | None, Query(max_length=100)] = None) -> LiveResponse:
    """All cameras, or those named, in one answer; each part tells in X-Frame where the faces are."""
    wanted = camera or [one.name for one in state.watching.cameras]
    for name in wanted:
        _check(state, name)
    return LiveResponse(state.live, wanted, drawn=False)


@router.get("/cameras/{name}/live", response_class=Response, responses=MULTIPART)
async def live_of_one(name: str, state: Here) -> LiveResponse:
    """With boxes and names drawn onto the picture."""
    _check(state, name)
    return LiveResponse(state.live, [name], drawn=True)


@router.get("/cameras/{name}/snapshot", response_class=Response, responses=JPEG)
def snapshot(name: str, state: Here, boxes: bool = False) -> Response:
    """The newest picture."""
    _check(state, name)
    seen = state.watching.look(name) if boxes else None
    if seen is not None:
        return Response(live.sight_of(*seen, drawn=True).jpeg, media_type="image/jpeg")
    frame = state.watching.newest(name)
    if frame is None:
        raise Problem(503, "There is no picture yet.", saw=name, fix="try again when the camera is live")
    return Response(live.encoded(frame.image_bgr), media_type="image/jpeg")


@router.get("/cameras/{name}/faces")
def faces(name: str, state: Here) -> CameraFaces:
    """The faces that the newest picture shows; boxes in its pixels."""
    _check(state, name)
    identities = state.watching.faces(name)
    if identities is None:
        raise Problem(503, "There is no picture yet.", saw=name, fix="try again when the camera is live")
    return CameraFaces.model_validate(about(identities))


def cameras_of(state: State) -> list[Camera]:
    return [
        Camera(name=c.name, state=c.state, age_s=c.age_s, fps=c.fps, size=c.size_wh, source=c.source)
        for c in state.health.cameras()
    ]


def _check(state: State, name: str) -> None:
    if all(name != camera.name for camera in state.watching.cameras):
        raise gone("There is no such camera.", name)
