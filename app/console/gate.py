"""Before anything is read of a request: who asks, whether they may, and whether it is not too much."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.console import csrf, roles
from app.console.lingering import Lingering
from app.console.login import Login
from app.console.problem import Problem, answer
from app.console.sessions import Role, Session, Sessions

MEBIBYTE = 1 << 20
_SMALL_BYTES = 1 << 16
# Pictures are bounded one by one besides (`uploads`).
_LARGER = {"/api/people": 64 * MEBIBYTE, "/api/strangers": 64 * MEBIBYTE, "/api/identify": 11 * MEBIBYTE}


@dataclass(frozen=True, slots=True)
class Caller:
    """role     None: not logged in
    session  None: a program with a token, or nobody yet
    """

    role: Role | None
    session: Session | None
    address: str


class Gate:
    """Every request passes here, so a route that nobody thought of is closed and not open. cookie: its name"""

    def __init__(self, app: ASGIApp, *, login: Login, sessions: Sessions, cookie: str) -> None:
        self._app = app
        self._login = login
        self._sessions = sessions
        self._cookie = cookie

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            return  # there are none; the server closes it
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        lingering = Lingering(scope, receive, send)
        try:
            scope["caller"] = self._admitted(scope)
            limited = _limited(scope, lingering.receive)
        except Problem as problem:
            headers = {**(problem.headers or {}), "Connection": "close"}
            refused = answer(problem.status_code, problem.what, problem.saw, problem.fix, headers)
            await refused(scope, lingering.receive, lingering.send)
            return
        await self._app(scope, limited, lingering.send)

    def _admitted(self, scope: Scope) -> Caller:
        method, path, headers = scope["method"], scope["path"], Headers(scope=scope)
        caller = self._caller(scope, headers)
        wanted = roles.needed(method, path)
        if not roles.is_enough(caller.role, wanted):
            if caller.role is None:
                raise Problem(
                    401, "Nobody is logged in.", fix="log in, or send a token", headers={"WWW-Authenticate": "Bearer"}
                )
            raise Problem(
                403, "A viewer may look, and change nothing.", saw=f"{method} {path}"[:200], fix="log in as admin"
            )
        if roles.changes(method) and "authorization" not in headers:
            csrf.check_origin(headers)
            if wanted is not None:
                csrf.check_token(caller.session, headers)
        return caller

    def _caller(self, scope: Scope, headers: Headers) -> Caller:
        address = scope["client"][0] if scope.get("client") else ""
        kind, _, token = headers.get("authorization", "").partition(" ")
        if kind:
            if kind.lower() != "bearer":
                raise Problem(401, "This way to log in is not known.", saw=kind[:40], fix="Authorization: Bearer TOKEN")
            return Caller(self._login.by_token(token.strip(), address), None, address)
        session = self._sessions.find(HTTPConnection(scope).cookies.get(self._cookie, ""))
        if session is not None:
            return Caller(session.role, session, address)
        if scope["method"] == "GET" and self._login.has_ticket(scope["path"], scope["query_string"].decode("latin-1")):
            scope["by_ticket"] = True
            return Caller("viewer", None, address)
        return Caller("admin" if self._login.open else None, None, address)


def _limited(scope: Scope, receive: Receive) -> Receive:
    """The same, but it gives no more than this route may be sent."""
    most = _LARGER.get(scope["path"], _SMALL_BYTES)
    said = Headers(scope=scope).get("content-length", "0")
    if said.isdecimal() and int(said) > most:
        raise _too_large(int(said), most)
    received = 0

    async def receive_limited() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > most:
            raise _too_large(received, most)
        return message

    return receive_limited


def _too_large(size: int, most: int) -> Problem:
    saw = f"{size / MEBIBYTE:.1f} MB" if size >= MEBIBYTE else f"{size} bytes"
    limit = f"{most / MEBIBYTE:.0f} MB" if most >= MEBIBYTE else f"{most // 1024} KB"
    return Problem(413, "This is too much at once.", saw=saw, fix=f"send at most {limit}")
