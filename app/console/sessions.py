"""Who is logged in: kept in memory only, so that a console that is started again has forgotten everybody."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from pipeline.clock import now_ns

Role = Literal["viewer", "admin"]

IDLE_S = 12 * 3600.0
MOST_SESSIONS = 1000


@dataclass(slots=True)
class Session:
    """csrf  what each change has to bring, besides the cookie"""

    id: str
    role: Role
    csrf: str
    used_ns: int

    def is_told(self, csrf: str) -> bool:
        return hmac.compare_digest(csrf.encode(), self.csrf.encode())


class Sessions:
    def __init__(self, clock: Callable[[], int] = now_ns) -> None:
        self._clock = clock
        self._sessions: dict[str, Session] = {}

    def begin(self, role: Role) -> Session:
        """The one that was not used for longest makes room."""
        if len(self._sessions) >= MOST_SESSIONS:
            del self._sessions[min(self._sessions.values(), key=lambda one: one.used_ns).id]
        made = Session(secrets.token_urlsafe(32), role, secrets.token_urlsafe(32), self._clock())
        self._sessions[made.id] = made
        return made

    def find(self, one: str) -> Session | None:
        found = self._sessions.get(one)
        if found is None:
            return None
        now = self._clock()
        if now - found.used_ns > IDLE_S * 1e9:
            del self._sessions[one]
            return None
        found.used_ns = now
        return found

    def end(self, one: str) -> None:
        self._sessions.pop(one, None)
