"""Logging in and out."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

from fastapi import APIRouter, Request, Response

from app.console.gate import Caller
from app.console.schemas import Password, SessionAbout
from app.console.sessions import IDLE_S, Role, Session
from app.console.state import Asking, Here, State


def _version() -> str:
    try:
        return version("facewire")
    except PackageNotFoundError:
        return "0"  # run from a folder without being installed


VERSION = _version()
router = APIRouter(prefix="/api", tags=["session"])


@router.get("/session")
def current(state: Here, caller: Asking, request: Request, response: Response) -> SessionAbout:
    """Who I am; where no password is set, everybody is admin at once."""
    session = caller.session
    if session is None and caller.role is not None and "authorization" not in request.headers:
        session = _begin(state, caller.role, request, response)
    return _about(state, caller.role, session)


@router.post("/login")
def log_in(said: Password, state: Here, caller: Asking, request: Request, response: Response) -> SessionAbout:
    role: Role = "admin" if state.login.open else state.login.by_password(said.password, caller.address)
    _leave(state, caller)
    return _about(state, role, _begin(state, role, request, response))


@router.post("/logout", status_code=204)
def log_out(state: Here, caller: Asking, response: Response) -> None:
    _leave(state, caller)
    response.delete_cookie(state.cookie, path="/", httponly=True, samesite="strict")


def _begin(state: State, role: Role, request: Request, response: Response) -> Session:
    """A new id each time, so that one that somebody else knew before is worth nothing after a login."""
    session = state.sessions.begin(role)
    response.set_cookie(
        state.cookie,
        session.id,
        max_age=int(IDLE_S),
        path="/",
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
    return session


def _leave(state: State, caller: Caller) -> None:
    if caller.session is not None:
        state.sessions.end(caller.session.id)


def _about(state: State, role: Role | None, session: Session | None) -> SessionAbout:
    return SessionAbout(
        login_needed=not state.login.open,
        role=role,
        csrf=None if session is None else session.csrf,
        version=VERSION,
    )
