"""Names that were forgotten: what a machine that was away tells of them later is not kept.

Only a checksum of a name is remembered. It tells nobody the name, but who guesses it can see that the guess is right.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from typing import Any

from pipeline.erasure import without

Event = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Barred:
    """sha256  of the name
    until   UTC, ISO 8601: what is told of later moments is told of somebody who was given the name anew
    """

    sha256: str
    until: str


@lru_cache(maxsize=4096)
def checksum(name: str) -> str:
    return sha256(name.encode(errors="surrogatepass")).hexdigest()


def names_in(event: Mapping[str, Any]) -> Iterator[str]:
    """Whose face it is, and whom it was compared with."""
    why = event.get("why")
    told = why if isinstance(why, dict) else {}
    near = [
        one[0] for shot in told.get("shots", ()) if isinstance(shot, dict) for one in shot.get("nearest", ()) if one
    ]
    return (name for name in (event.get("name"), told.get("runner_up"), *near) if isinstance(name, str))


def barred_in(event: Mapping[str, Any], until: Mapping[str, str]) -> set[str]:
    """until  of each checksum"""
    return {name for name in names_in(event) if event["t"] <= until.get(checksum(name), "")}


def without_all(event: Event, names: set[str]) -> Event:
    for name in names:
        event = without(event, name)
    return event
