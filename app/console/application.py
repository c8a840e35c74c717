"""The console as one application: its routes, and what stands before them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
from starlette.responses import FileResponse

from app.console import problem, schemas
from app.console.gate import Gate
from app.console.headers import SecureHeaders
from app.console.routes import cameras, events, faces, figures, health, people, session, settings, strangers, unknowns
from app.console.state import State

STATIC = Path(__file__).parent / "static"
_ROUTES = (session, cameras, people, strangers, unknowns, faces, events, figures, settings, health)
_PROBLEMS = (401, 403, 404, 409, 413, 421, 422, 429, 503)


def create(state: State) -> FastAPI:
    app = FastAPI(
        title="Facewire",
        version=session.VERSION,
        description="What the console can do, for programs: send a token as `Authorization: Bearer TOKEN`.",
        openapi_url="/api/openapi.json",
        docs_url=None,  # their pages load scripts from elsewhere
        redoc_url=None,
        lifespan=_lifespan,
        responses={status: {"model": schemas.Error} for status in _PROBLEMS},
    )
    app.state.console = state
    problem.add_handlers(app)
    for routes in _ROUTES:
        app.include_router(routes.router)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    app.add_api_route("/", _index, include_in_schema=False)
    app.add_middleware(Gate, login=state.login, sessions=state.sessions, cookie=state.cookie)
    app.add_middleware(SecureHeaders, only_loopback=state.only_loopback)
    return app


def _index() -> FileResponse:
    return FileResponse(STATIC / "index.html")


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    state: State = app.state.console
    watching = asyncio.create_task(state.arrivals.watch())
    try:
        yield
    finally:
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
