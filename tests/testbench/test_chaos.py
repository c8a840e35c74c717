"""A short campaign; the long one is `python -m testbench.chaos --seconds 60`."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from testbench import chaos
from testbench.witness import stamp, stamped

SHORT_S = 8


@pytest.mark.parametrize("placement", ["split", "fused"])
def test_a_short_campaign_ends_clean(tmp_path: Path, placement: str) -> None:
    out = tmp_path / "chaos.json"
    code = chaos.main(["--seconds", str(SHORT_S), "--bus-only", "--placement", placement, "--json", str(out)])
    verdict = json.loads(out.read_text())
    assert code == 0, verdict
    assert sum(verdict["kills"].values()) == verdict["recovered"] > 0
    assert verdict["frames"] > 0


def test_a_picture_that_mixes_two_frames_is_seen_to_be_torn() -> None:
    image = np.zeros((20, 30, 3), np.uint8)
    stamp(image, 41)
    assert stamped(image, 41)
    assert not stamped(image, 42)
    stamp(image[7:8], 42)
    assert not stamped(image, 41)


def test_a_verdict_with_anything_wrong_is_not_clean() -> None:
    assert chaos.Verdict(kills={"draw": 2}, recovered=2).clean
    assert not chaos.Verdict(kills={"draw": 2}, recovered=1).clean
    for wrong in ("torn", "leaked", "deadlocks", "order_errors", "lost"):
        assert not chaos.Verdict(**{wrong: 1}).clean
