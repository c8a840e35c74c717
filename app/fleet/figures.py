"""What a camera's console tells Prometheus, read back: its state, and the figures that the fleet passes on."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

from app.fleet.order import Machine, Sample, State

_LINE = re.compile(r"(?P<name>[a-zA-Z_:][\w:]*)(?:\{(?P<labels>.*)\})? (?P<value>\S+)")
# Sums over all that a camera's run does would say too much of a thousand cameras; these are passed on.
PASSED_ON = {
    "facewire_frames_captured_total": "Frames that a camera gave.",
    "facewire_frames_shown_total": "Frames that reached their end.",
    "facewire_faces_total": "Faces in them.",
    "facewire_identities_total": "Faces in them that have a name.",
    "facewire_fps": "Frames a second, of the last seconds.",
    "facewire_camera_age_seconds": "How old its newest picture is.",
}
_STATES = frozenset({"starting", "live", "stale", "reconnecting", "ended"})


def ask(console: str, token: str, timeout_s: float) -> tuple[Sample, ...]:
    """OSError or HTTPException while the console does not answer."""
    at = urlsplit(console)
    connection = HTTPConnection(at.hostname or "", at.port, timeout=timeout_s)
    try:
        connection.request("GET", "/metrics", headers={"Authorization": f"Bearer {token}"})
        answer = connection.getresponse()
        text = answer.read().decode()
    finally:
        connection.close()
    if answer.status != 200:
        raise HTTPException(f"the console answers {answer.status}")
    return tuple(samples(text))


def samples(text: str) -> Iterable[Sample]:
    for line in text.splitlines():
        found = None if line.startswith("#") else _LINE.fullmatch(line)
        if found is not None:
            yield found["name"], found["labels"] or "", float(found["value"])


def state_of(told: Iterable[Sample]) -> State:
    for name, labels, value in told:
        state = re.search(r'state="(\w+)"', labels)
        if name == "facewire_camera_state" and value and state is not None and state[1] in _STATES:
            return cast(State, state[1])
    return "starting"


def value_of(told: Iterable[Sample], wanted: str) -> float | None:
    return next((value for name, _, value in told if name == wanted), None)


def passed_on(told: Iterable[Sample]) -> tuple[Sample, ...]:
    return tuple(one for one in told if one[0] in PASSED_ON)


def machine() -> Machine:
    return Machine(os.cpu_count() or 1, os.getloadavg()[0], _memory_free_mb())


def _memory_free_mb() -> float:
    try:
        found = re.search(r"MemAvailable:\s+(\d+) kB", Path("/proc/meminfo").read_text())
    except OSError:
        return 0.0  # not a system that tells
    return int(found[1]) / 1024 if found else 0.0
