"""Leave to look at one picture for a while, written into its address: for pages that are not this console's own.

A fleet's page shows the live pictures of all machines. A browser sends no token with the address of a picture, so the
one who knows the token signs the address instead. Such a ticket opens nothing but pictures of this one camera.
"""

from __future__ import annotations

import hmac
import re
import time
from hashlib import sha256
from urllib.parse import parse_qs, quote, urlencode

LONGEST_S = 3600
_PICTURES = re.compile(r"/api/cameras/([^/]+)/(?:live|snapshot)")


def address(console: str, camera: str, kind: str, token: str, *, valid_s: int = 300) -> str:
    """Of a picture at another console. kind: live, snapshot"""
    until = int(time.time()) + valid_s
    query = urlencode({"boxes": "true", "until": until, "ticket": _signature(token, camera, until)})
    return f"{console.rstrip('/')}/api/cameras/{quote(camera, safe='')}/{kind}?{query}"


def is_valid(path: str, query: str, token: str | None) -> bool:
    """Whether this request brings a ticket for just this camera, signed with the viewers' token. path: decoded"""
    found = _PICTURES.fullmatch(path)
    if found is None or token is None:
        return False
    given = parse_qs(query)
    until, ticket = given.get("until", [""])[0], given.get("ticket", [""])[0]
    if not re.fullmatch(r"[0-9]{1,12}", until) or not 0 <= int(until) - time.time() <= LONGEST_S:
        return False
    return hmac.compare_digest(ticket.encode(), _signature(token, found[1], int(until)).encode())


def _signature(token: str, camera: str, until: int) -> str:
    return hmac.new(token.encode(), f"picture|{until}|{camera}".encode(), sha256).hexdigest()
