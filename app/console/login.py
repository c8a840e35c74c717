"""Passwords of people and tokens of programs, and how often somebody may guess."""

from __future__ import annotations

import hashlib
import hmac
import math
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from app.console import ticket
from app.console.problem import Problem
from app.console.sessions import Role
from pipeline.clock import now_ns

GUESSES = 5  # of one address in a window
ALL_GUESSES = 50  # of all addresses together: many may guess from many places
WINDOW_S = 60.0
_ADDRESSES = 10_000


@dataclass(frozen=True, slots=True)
class Keys:
    """What gives a role; None: nobody gets it this way."""

    password: str | None = field(default=None, repr=False)
    viewer_password: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    viewer_token: str | None = field(default=None, repr=False)

    @property
    def any(self) -> bool:
        return any((self.password, self.viewer_password, self.token, self.viewer_token))


class Login:
    """open  whether everybody who reaches the console is an admin: there are no keys"""

    def __init__(self, keys: Keys, clock: Callable[[], int] = now_ns) -> None:
        self._passwords: Mapping[Role, str | None] = {"admin": keys.password, "viewer": keys.viewer_password}
        self._tokens: Mapping[Role, str | None] = {"admin": keys.token, "viewer": keys.viewer_token}
        self.open = not keys.any
        self._clock = clock
        self._failures: dict[str, deque[int]] = {}
        self._all_failures: deque[int] = deque()

    def by_password(self, said: str, address: str) -> Role:
        self._check_guesses(address)
        role = _match(self._passwords, said)
        if role is None:
            self._count(address)
            raise Problem(401, "This is not the password.", fix="ask the one who has set CONSOLE_PASSWORD")
        return role

    def by_token(self, said: str, address: str) -> Role:
        role = _match(self._tokens, said)  # first: who guesses at passwords must not lock programs out
        if role is None:
            self._check_guesses(address)
            self._count(address)
            raise Problem(
                401, "This token is not valid.", fix="send the CONSOLE_TOKEN", headers={"WWW-Authenticate": "Bearer"}
            )
        return role

    def has_ticket(self, path: str, query: str) -> bool:
        """Whether the address itself gives leave to look at this one picture (`ticket`)."""
        return ticket.is_valid(path, query, self._tokens["viewer"])

    def _check_guesses(self, address: str) -> None:
        now = self._clock()
        own = self._failures.get(address, deque())
        for guesses, most in ((own, GUESSES), (self._all_failures, ALL_GUESSES)):
            while guesses and now - guesses[0] > WINDOW_S * 1e9:
                guesses.popleft()
            if len(guesses) >= most:
                wait_s = math.ceil(WINDOW_S - (now - guesses[0]) / 1e9)
                raise Problem(
                    429,
                    "There were too many wrong passwords.",
                    fix=f"try again in {wait_s} s",
                    headers={"Retry-After": str(wait_s)},
                )

    def _count(self, address: str) -> None:
        now = self._clock()
        if len(self._failures) >= _ADDRESSES:
            del self._failures[next(iter(self._failures))]
        self._failures.setdefault(address, deque()).append(now)
        self._all_failures.append(now)


def _match(known: Mapping[Role, str | None], said: str) -> Role | None:
    roles = [
        role for role, key in known.items() if key is not None and hmac.compare_digest(_digest(said), _digest(key))
    ]
    return roles[0] if roles else None


def _digest(key: str) -> bytes:
    """Of equal length, so that comparing takes as long for every key."""
    return hashlib.sha256(key.encode()).digest()
