from __future__ import annotations

import json

import numpy as np
import pytest

from training.average_precision import Curve
from training.cascade_score import CascadeScore
from training.findings import Findings, table
from training.net_score import NetScore
from training.proposal_score import ProposalScore


def _score(ap: float) -> CascadeScore:
    drawn = Curve(np.array([ap]), np.array([1.0]), np.array([0]))
    return CascadeScore(ap, ap, ap, 0, 0.8, None, 2.0, drawn)


@pytest.fixture
def findings() -> Findings:
    return Findings(
        "full",
        cascades={40.0: {"full": _score(0.8), "small": _score(0.6)}},
        proposals={
            "full": [ProposalScore(0.6, 0.9, 50), ProposalScore(0.9, 0.5, 10)],
            "small": [ProposalScore(0.6, 0.8, 30), ProposalScore(0.9, 0.4, 10)],
        },
        nets={"rnet": {"full": NetScore(0.1, 0.96, 0.95, 0.03, None), "small": NetScore(0.2, 0.48, 0.5, 0.05, None)}},
        ms={"pnet": {"full": 2.0, "small": 0.5}},
    )


def test_tables_tell_what_is_left_of_the_one_compared_with(findings: Findings) -> None:
    rows = [[cell.strip() for cell in line.strip("|\n").split("|")] for line in findings.tables().splitlines() if line]
    small = [row for row in rows if row[0] == "small"]
    assert small[0][:3] == ["small", "0.6000", "75.0"]
    assert small[1][:4] == ["small", "0.2000", "0.4800", "50.00"]
    assert small[2] == ["small", "0.8000", "30.0", "–"]  # it never proposes as many faces
    assert ["pnet", "2.000 (1.00×)", "0.500 (4.00×)"] in rows


def test_what_programs_read_says_the_same(findings: Findings) -> None:
    told = json.loads(json.dumps(findings.json()))
    assert [each["retention"] for each in told["cascades"]] == [100, 75]
    assert [each["retention"] for each in told["nets"]] == [100, 50]
    assert told["ms"] == {"pnet": {"full": 2.0, "small": 0.5}}
    assert "drawn" not in told["cascades"][0]
    assert len(told["proposals"]) == 4


def test_nothing_asked_for_is_nothing_told() -> None:
    assert Findings("one").tables() == ""


def test_columns_are_as_wide_as_their_widest_cell() -> None:
    assert table(("a", "b"), [("long", "1")]) == "| a    | b |\n| ---- | - |\n| long | 1 |\n"
