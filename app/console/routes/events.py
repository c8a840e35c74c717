"""What was seen: to search, to follow, to take away."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Header, Query, Response
from starlette.responses import StreamingResponse

from app.console.answers import EVENT_STREAM, JPEG, LINES
from app.console.problem import gone
from app.console.schemas import Event, Events
from app.console.state import Here, State
from pipeline.outlets.stored import LARGEST_ID, StoredEvent, Wanted

router = APIRouter(prefix="/api/events", tags=["events"])
EventId = Annotated[int, Query(ge=0, le=LARGEST_ID)]
_COLUMNS = ("id", "t", "camera", "frame", "track", "name", "state", "score", "margin", "votes", "quality", "event")


def _wanted(
    person: str | None = None,
    camera: str | None = None,
    state: str | None = None,
    kind: Annotated[str, Query(alias="type")] = "identity",
    since: datetime | None = None,
    until: datetime | None = None,
) -> Wanted:
    """Times without a zone are UTC; type `all` means events of every kind."""
    return Wanted(person, camera, state, None if kind == "all" else kind, _zoned(since), _zoned(until))


Filter = Annotated[Wanted, Depends(_wanted)]


@router.get("")
def events(
    state: Here, wanted: Filter, after: EventId | None = None, limit: Annotated[int, Query(ge=1, le=500)] = 50
) -> Events:
    """Newest first; `after` takes the `next` of the page before."""
    found = state.store.events(_older(wanted, after), limit=limit + 1)
    page = found[:limit]
    more = str(page[-1].id) if len(found) > limit else None
    return Events(events=[_event(state, one) for one in page], next=more)


@router.get("/stream", response_class=Response, responses=EVENT_STREAM)
async def stream(
    state: Here,
    after: EventId | None = None,
    last_event_id: Annotated[str | None, Header(max_length=40)] = None,
) -> StreamingResponse:
    """New events as they come: server-sent events, each an event of the list; those after `after`, or after the
    Last-Event-ID that a browser sends when it comes back.
    """
    state.arrivals.check_room()
    heard = int(last_event_id) if last_event_id is not None and re.fullmatch(r"[0-9]{1,18}", last_event_id) else after
    said = state.arrivals.lines(lambda one: _event(state, one).model_dump(mode="json"), heard)
    return StreamingResponse(said, media_type="text/event-stream")


@router.get("/export", response_class=Response, responses=LINES)
def export(
    state: Here, wanted: Filter, style: Annotated[Literal["csv", "jsonl"], Query(alias="format")] = "csv"
) -> StreamingResponse:
    """All that match, oldest first."""
    found = state.store.all(wanted)
    lines, kind = (_csv(found), "text/csv") if style == "csv" else (_jsonl(found), "application/jsonl")
    disposition = f'attachment; filename="facewire-events.{style}"'
    return StreamingResponse(lines, media_type=f"{kind}; charset=utf-8", headers={"Content-Disposition": disposition})


@router.get("/{event}")
def one(event: int, state: Here) -> Event:
    """With the evidence, also when an earlier event of the same face told it."""
    return _event(state, _stored(state, event))


@router.get("/{event}/crop", response_class=Response, responses=JPEG)
def crop(event: int, state: Here) -> Response:
    jpeg = state.store.crop(_stored(state, event).id)
    if jpeg is None:
        raise gone("There is no picture of this event.", str(event))
    return Response(jpeg, media_type="image/jpeg", headers={"Cache-Control": "private, max-age=3600"})


def _stored(state: State, one: int) -> StoredEvent:
    found = state.store.event(one)
    if found is None:
        raise gone("There is no such event.", str(one))
    return found


def _event(state: State, stored: StoredEvent) -> Event:
    explained = stored if "why" in stored.body else state.store.explained(stored)
    why = None if explained is None else explained.body.get("why")
    return Event.model_validate(_said(stored) | {"crop": state.store.has_crop(stored), "why": why})


def _said(stored: StoredEvent) -> dict[str, object]:
    """The event of the file calls its own id `event` here."""
    body = {key: value for key, value in stored.body.items() if key not in ("id", "why")}
    return {**body, "id": stored.id, "event": stored.body.get("id")}


def _older(wanted: Wanted, after: int | None) -> Wanted:
    return Wanted(
        wanted.person, wanted.camera, wanted.state, wanted.kind, wanted.since, wanted.until, wanted.after, after
    )


def _zoned(moment: datetime | None) -> datetime | None:
    return moment if moment is None or moment.tzinfo is not None else moment.replace(tzinfo=timezone.utc)


def _jsonl(found: Iterator[StoredEvent]) -> Iterator[str]:
    for one in found:
        yield json.dumps(one.body, ensure_ascii=False) + "\n"


def _csv(found: Iterator[StoredEvent]) -> Iterator[str]:
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(_COLUMNS)
    for one in found:
        said = _said(one)
        rows.writerow([_cell(said.get(column)) for column in _COLUMNS])
        yield text.getvalue()
        text.seek(0)
        text.truncate()
    yield text.getvalue()


def _cell(value: object) -> object:
    """Spreadsheets take a text that begins like a formula for one."""
    return f"'{value}" if isinstance(value, str) and value[:1] in "=+-@\t\r" else value
