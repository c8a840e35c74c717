"""--trace: each frame's way as a timeline that https://ui.perfetto.dev and chrome://tracing open."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable
from pathlib import Path

from checkpoints.errors import OutputError
from pipeline.messages import FrameRef, Shown

KEPT_FRAMES = 20_000


class Trace:
    """Keeps the last frames; one row for each stage, an arrow from each stay to the next."""

    def __init__(self, kept_frames: int = KEPT_FRAMES) -> None:
        self._refs: deque[FrameRef] = deque(maxlen=kept_frames)

    def add(self, shown: Iterable[Shown]) -> None:
        self._refs.extend(each.ref for each in shown)

    def copy(self) -> Trace:
        """As it is now, for somebody who takes time to look at it."""
        made = Trace(self._refs.maxlen or KEPT_FRAMES)
        made._refs.extend(self._refs)
        return made

    def as_json(self) -> dict[str, object]:
        rows: dict[str, int] = {}
        spans: list[dict[str, object]] = []
        for flow, ref in enumerate(self._refs):
            for order, visit in enumerate(ref.visits):
                name = f"{visit.stage}:{ref.camera}" if visit.stage == "capture" else visit.stage
                spans += _span(ref, visit.entered_ns, visit.left_ns, rows.setdefault(name, len(rows) + 1), flow, order)
        names = [{"ph": "M", "name": "process_name", "pid": row, "args": {"name": name}} for name, row in rows.items()]
        return {"traceEvents": names + spans, "displayTimeUnit": "ms"}

    def save(self, path: Path) -> None:
        try:
            path.write_text(json.dumps(self.as_json()))
        except OSError as error:
            raise OutputError(
                "The trace cannot be written.",
                saw=f"--trace {path}: {error.strerror}",
                fix="give a writable .json file",
            ) from error


def _span(ref: FrameRef, entered_ns: int, left_ns: int, row: int, flow: int, order: int) -> list[dict[str, object]]:
    """Times in µs, as the format wants them."""
    place: dict[str, object] = {"pid": row, "tid": row, "ts": entered_ns / 1000}
    about = {"camera": ref.camera, "epoch": ref.epoch, "pts_s": round(ref.pts_s, 4)}
    span = {"ph": "X", "name": f"frame {ref.seq}", "cat": "frame", "dur": (left_ns - entered_ns) / 1000, "args": about}
    arrow = {"ph": "s" if order == 0 else "t", "name": "way", "cat": "way", "id": flow}
    return [{**span, **place}, {**arrow, **place}]
