"""Negative examples: faces that must not be taken for anybody of the gallery."""

from __future__ import annotations

from fastapi import APIRouter

from app.console.routes.people import Pictures, enrolled
from app.console.schemas import Enrolled, Strangers
from app.console.state import Asking, Here

router = APIRouter(prefix="/api/strangers", tags=["strangers"])


@router.get("")
def strangers(state: Here) -> Strangers:
    with state.gallery() as gallery:
        return Strangers(pictures=len(list(gallery.entries([None]))))


@router.post("")
async def add(state: Here, caller: Asking, pictures: Pictures) -> Enrolled:
    return await enrolled(state, caller, None, pictures, even_if_unlike=True, even_if_known=False)


@router.delete("")
def forget(state: Here, caller: Asking) -> Strangers:
    """Erase all of them."""
    with state.gallery() as gallery:
        count = gallery.delete(None)
    state.audit(caller).tell("erased strangers", pictures=count)
    return Strangers(pictures=count)
