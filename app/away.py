"""Which cameras are away, so that each absence is told once, and now and then while it lasts: not at every try."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

AGAIN_AFTER_S = 600.0


@dataclass(frozen=True, slots=True)
class _Absence:
    captured: int
    trouble: str
    told_ns: int


class Away:
    def __init__(self) -> None:
        self._absences: dict[str, _Absence] = {}

    def missed(
        self, camera: str, trouble: str, *, captured: int, now_ns: int
    ) -> Literal["lost", "reconnecting"] | None:
        """A connection broke or was not made: what is worth telling of it. captured: pictures that it ever gave."""
        before = self._absences.get(camera)
        is_new = before is None or captured > before.captured
        if before is not None and (captured, trouble) == (before.captured, before.trouble):
            is_due = now_ns - before.told_ns >= AGAIN_AFTER_S * 1e9
            if not is_due:
                return None
        self._absences[camera] = _Absence(captured, trouble, now_ns)
        return "lost" if is_new else "reconnecting"
