"""How fast the pipeline is, and where the time goes."""

from __future__ import annotations

import json

from fastapi import APIRouter, Response

from app.console.answers import TEXT, TRACE
from app.console.exposition import CONTENT_TYPE
from app.console.prometheus import metrics_of
from app.console.run_schemas import Latency, Percentiles, StageLatency
from app.console.state import Here

router = APIRouter(tags=["figures"])


@router.get("/api/latency")
def latency(state: Here) -> Latency:
    """Of the last ten thousand frames: percentiles in milliseconds; of the last few: when each was where."""
    measured, recent = state.figures.latency()
    table = measured.latency_ms()
    stages = [StageLatency.model_validate({"stage": name, **table[name]}) for name in table if name != "total"]
    return Latency(
        fps=state.figures.fps(),
        frames=measured.frames,
        seconds=round(measured.seconds, 3),
        total=Percentiles.model_validate(table["total"]),
        stages=stages,
        drops=state.watching.dropped(),
        processes=state.machine.look(),
        recent=recent,
    )


@router.post("/api/trace", response_class=Response, responses=TRACE)
def trace(state: Here) -> Response:
    """The way of the last frames, for https://ui.perfetto.dev."""
    disposition = 'attachment; filename="facewire-trace.json"'
    text = json.dumps(state.figures.trace())
    return Response(text, media_type="application/json", headers={"Content-Disposition": disposition})


@router.get("/metrics", response_class=Response, responses=TEXT)
def metrics(state: Here) -> Response:
    return Response(metrics_of(state), media_type=CONTENT_TYPE)
