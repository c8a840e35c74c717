"""Who may do what: a viewer may look, an admin may do everything. What is not named here needs an admin."""

from __future__ import annotations

from app.console.sessions import Role

_SAFE = frozenset({"GET", "HEAD"})
_PUBLIC = frozenset({"/", "/favicon.ico", "/api/session", "/healthz"})
_LOGIN = "/api/login"
# Changes nothing that is kept.
_VIEWERS_MAY = frozenset({"/api/logout", "/api/identify", "/api/trace"})


def changes(method: str) -> bool:
    """Whether the request does something, and so has to prove that it was meant."""
    return method not in _SAFE


def needed(method: str, path: str) -> Role | None:
    """The least role for this request; None: everybody, also without login."""
    if method in _SAFE:
        return None if path in _PUBLIC or path.startswith("/static/") else "viewer"
    if path == _LOGIN:
        return None
    return "viewer" if method == "POST" and path in _VIEWERS_MAY else "admin"


def is_enough(role: Role | None, wanted: Role | None) -> bool:
    return wanted is None or role == "admin" or role == wanted
