from __future__ import annotations

from array import array
from pathlib import Path

import numpy as np
import pytest

from testbench import soak
from testbench.soak import Sample, Seen, verdict


def seen(*, mb_per_hour: float = 0.0, more_files: int = 0, last_ms: float = 20.0) -> Seen:
    made = Seen()
    for at_s in np.arange(0, 1800, 5.0):
        grown_mb = 50 * min(1.0, at_s / 200) + mb_per_hour * at_s / 3600
        made.samples.append(Sample(float(at_s), 300 + grown_mb, 100 + (more_files if at_s > 900 else 0)))
        made.of_process.setdefault("lookup", array("d")).append(100 + grown_mb)
    for third, ms in enumerate((20.0, 20.0, last_ms)):
        made.thirds[third, 50] = 990
        made.thirds[third, int(ms * 10) - 1] = 10 + 1
    return made


def clean(made: Seen) -> object:
    return verdict(made, 300, {})["clean"]


def test_a_program_that_stays_as_it_is() -> None:
    judged = ("memory", "memory_surely", "descriptors", "latency", "restarts")
    assert clean(seen()) == dict.fromkeys(judged, True)


def test_caches_that_fill_at_the_start_do_not_count() -> None:
    slope = verdict(seen(mb_per_hour=0.5), 300, {})["slope_mb_per_hour"]
    assert isinstance(slope, dict)
    assert abs(slope["mb_per_hour"] - 0.5) < 0.01


def test_what_grows_is_seen() -> None:
    assert clean(seen(mb_per_hour=2))["memory"] is False  # type: ignore[index]
    assert clean(seen(more_files=1))["descriptors"] is False  # type: ignore[index]
    assert clean(seen(last_ms=23))["latency"] is False  # type: ignore[index]
    assert clean(seen(last_ms=21))["latency"] is True  # type: ignore[index]
    assert clean(seen(last_ms=10))["latency"] is True  # type: ignore[index]


@pytest.mark.parametrize(("restarts", "code"), [(0, 0), (1, 1)])
def test_a_process_that_was_started_again_makes_the_exit_code_1(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, restarts: int, code: int
) -> None:
    found = verdict(seen(), 300, {"capture": 0, "lookup": restarts})
    monkeypatch.setattr(soak, "soak", lambda *_: found)
    assert soak.main(["--json", str(tmp_path / "found.json")]) == code
