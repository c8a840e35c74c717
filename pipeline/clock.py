"""One clock for all processes: CLOCK_MONOTONIC is the same everywhere on a machine, wall time is only for people."""

from __future__ import annotations

import time
from datetime import datetime, timezone


def now_ns() -> int:
    return time.monotonic_ns()


def utc_iso(monotonic_ns: int | None = None) -> str:
    """The wall time of a moment of this clock, now unless told, as 2026-01-31T12:00:00.000Z."""
    ago_ns = 0 if monotonic_ns is None else time.monotonic_ns() - monotonic_ns
    moment = datetime.fromtimestamp((time.time_ns() - ago_ns) / 1e9, timezone.utc)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
