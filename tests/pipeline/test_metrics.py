from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pytest

from checkpoints.errors import OutputError
from pipeline.messages import FrameRef, Shown, Visit
from pipeline.metrics import Measurements, percentiles
from pipeline.trace import Trace

MS = 1_000_000


def shown(seq: int, start_ms: int) -> Shown:
    """Captured at start; detect begins 5 ms later and works 10 ms, draw 1 ms after that for 2 ms."""
    visits = (
        Visit("detect", (start_ms + 5) * MS, (start_ms + 15) * MS),
        Visit("draw", (start_ms + 16) * MS, (start_ms + 18) * MS),
    )
    return Shown(FrameRef("cam", 0, seq, seq / 25, start_ms * MS, seq, (64, 48), visits), 0)


def test_waiting_and_work_are_told_apart() -> None:
    measured = Measurements()
    measured.add([shown(n, 100 * n) for n in range(11)])
    table = measured.latency_ms()
    assert table["total"] == {"p50": 18.0, "p95": 18.0, "p99": 18.0}
    assert table["detect"] == {"wait": percentiles([5.0]), "work": percentiles([10.0])}
    assert table["draw"] == {"wait": percentiles([1.0]), "work": percentiles([2.0])}


def test_frames_a_second_count_from_the_first_arrival_to_the_last_end() -> None:
    measured = Measurements()
    measured.add([shown(n, 100 * n) for n in range(11)])
    assert measured.seconds == pytest.approx(1.018)
    assert measured.fps == pytest.approx(11 / 1.018)


def test_no_frames_are_no_error() -> None:
    measured = Measurements()
    assert measured.fps == 0
    assert measured.latency_ms()["total"] == {"p50": 0.0, "p95": 0.0, "p99": 0.0}


def test_the_trace_has_a_span_for_each_stay_and_an_arrow_between_them(tmp_path: Path) -> None:
    trace = Trace()
    trace.add([shown(n, 100 * n) for n in range(3)])
    path = tmp_path / "trace.json"
    trace.save(path)
    events = json.loads(path.read_text())["traceEvents"]
    spans = [e for e in events if e["ph"] == "X"]
    assert len(spans) == 6
    assert {e["args"]["name"] for e in events if e["ph"] == "M"} == {"detect", "draw"}
    assert [s["dur"] for s in spans[:2]] == [10_000.0, 2_000.0]
    first_way = [e["ts"] for e in events if e["ph"] in "st" and e["id"] == 0]
    assert len(first_way) == 2
    assert all(a < b for a, b in pairwise(first_way))


def test_a_trace_that_cannot_be_written_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="--trace"):
        Trace().save(tmp_path / "no" / "such.json")
