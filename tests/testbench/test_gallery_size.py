from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.gallery.gallery import Match
from testbench.gallery_size import main, recall


def test_a_small_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--pictures", "400", "--dim", "32", "--probes", "16", "--json", str(tmp_path / "out.json")]) == 0
    figures = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    assert json.loads(capsys.readouterr().out) == figures
    assert figures["pictures"] == 400
    assert figures["plain_equals_exact"] == {"best": 1.0, "second": 1.0, "lost": pytest.approx(0, abs=1e-5)}
    for when in ("before", "after"):
        assert figures[when]["load_s"] > 0
        assert 0 < figures[when]["p50_ms"] <= figures[when]["p99_ms"]


def test_recall_counts_who_was_missed() -> None:
    truth = [[Match("Ann", 0.9), Match("Bob", 0.5)], [Match("Cleo", 0.8), Match("Ann", 0.1)]]
    found = [[Match("Ann", 0.9), Match("Cleo", 0.4)], [Match("Ann", 0.1), Match("Cleo", 0.1)]]
    missed = recall(found, truth)
    assert (missed.best, missed.second) == (0.5, 0.0)
    assert missed.lost == pytest.approx(0.7)
