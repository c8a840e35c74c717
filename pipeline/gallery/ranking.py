"""From scored pictures to people: each person once, best first, the same order every time."""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.gallery.gallery import Match

# Kernels of different processors differ in the seventh digit; scores that people see and events that must be
# equal in two runs do not need it.
_DIGITS = 6


def ranked(scored: Iterable[tuple[str, float]], limit: int) -> list[Match]:
    """The best `limit` people; equal scores go by name."""
    best: dict[str, float] = {}
    for name, score in scored:
        rounded = round(float(score), _DIGITS)
        best[name] = max(rounded, best.get(name, rounded))
    order = sorted(best.items(), key=lambda item: (-item[1], item[0]))
    return [Match(name, score) for name, score in order[:limit]]
