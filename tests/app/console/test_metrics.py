"""What Prometheus is told, and the dashboard that shows it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from app.console.exposition import Exposition
from app.console.prometheus import metrics_of
from pipeline.metrics import Histogram
from tests.app.console.small_console import SmallConsole, face

DASHBOARD = Path(__file__).resolve().parents[3] / "docs" / "grafana.json"
_SAMPLE = re.compile(r'([a-z_]+)(?:\{((?:[a-z]+="(?:[^"\\\n]|\\.)*",?)*)\})? (\S+)')


def samples(text: str) -> dict[str, float]:
    """Name and labels → value; every line has to be as the format wants it."""
    found = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            parts = _SAMPLE.fullmatch(line)
            assert parts is not None, line
            found[f"{parts[1]}{{{parts[2] or ''}}}"] = float(parts[3])
    return found


def test_every_sample_has_its_kind_and_help(tmp_path: Path) -> None:
    small = SmallConsole(tmp_path)
    small.show(1, [face(1, "Ada")])
    text = metrics_of(small.state)
    small.close()
    told = {re.sub(r"_(bucket|sum|count)$", "", key.partition("{")[0]) for key in samples(text)}
    for kind in ("HELP", "TYPE"):
        assert told <= {line.split()[2] for line in text.splitlines() if line.startswith(f"# {kind}")}
    for name in (line.split()[2] for line in text.splitlines() if line.endswith(" counter")):
        assert name.endswith("_total")


def test_the_dashboard_shows_what_is_told_and_all_of_it(tmp_path: Path) -> None:
    small = SmallConsole(tmp_path)
    told = {line.split()[2] for line in metrics_of(small.state).splitlines() if line.startswith("# TYPE")}
    small.close()
    asked = set(re.findall(r"facewire_[a-z_]+", json.dumps(json.loads(DASHBOARD.read_text())["panels"])))
    assert {name.removesuffix("_bucket") for name in asked} == told


def test_a_histogram_counts_up_to_each_bound() -> None:
    histogram = Histogram()
    for duration_s in (0.0004, 0.001, 0.0011, 20.0):
        histogram.add(duration_s)
    out = Exposition()
    out.histogram("x_seconds", "x.", [({"stage": "align"}, histogram)])
    found = samples(out.text())
    counts = [found[f'x_seconds_bucket{{stage="align",le="{bound}"}}'] for bound in ("0.0005", "0.001", "0.0025", "10")]
    assert counts == [1, 2, 3, 3]
    assert found['x_seconds_bucket{stage="align",le="+Inf"}'] == found['x_seconds_count{stage="align"}'] == 4
    assert found['x_seconds_sum{stage="align"}'] == pytest.approx(20.0025)


def test_labels_are_escaped() -> None:
    out = Exposition()
    out.gauge("x", "x.", [({"camera": 'a"b\\c\nd'}, 1)])
    assert out.text().splitlines()[-1] == 'x{camera="a\\"b\\\\c\\nd"} 1'
