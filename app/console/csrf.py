"""Whether a change was meant by the person at the browser, and not by another page that is open there."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.datastructures import Headers

from app.console.problem import Problem
from app.console.sessions import Session

HEADER = "X-CSRF-Token"


def check_origin(headers: Headers) -> None:
    """Of every change, also of a login: browsers say where it comes from."""
    origin = headers.get("origin")
    foreign = origin is not None and urlsplit(origin).netloc.lower() != headers.get("host", "").lower()
    if foreign or headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise Problem(
            403, "This change comes from another page.", saw=(origin or "")[:200], fix="use the console itself"
        )


def check_token(session: Session | None, headers: Headers) -> None:
    """A page elsewhere can make a browser send the cookie, but cannot know the token."""
    if session is None or not session.is_told(headers.get(HEADER, "")):
        raise Problem(
            403,
            "This change does not prove that it was meant.",
            saw=f"no valid {HEADER}",
            fix="take the csrf of GET /api/session, and send it with its cookie; or send Authorization: Bearer TOKEN",
        )
