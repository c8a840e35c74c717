from __future__ import annotations

import json
from pathlib import Path

import pytest

from testbench.shard import EFS, main


def test_a_small_one_is_made_and_searched_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--pictures", "600", "--dim", "16", "--probes", "10", "--folder", str(tmp_path / "shard")]
    assert main([*words, "--json", str(tmp_path / "out.json")]) == 0
    first = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    assert json.loads(capsys.readouterr().out) == first
    assert first["pictures"] == 600
    assert first["build_s"] > 0
    # So few are compared one by one: nobody is missed.
    assert {ef: found["known_found"] for ef, found in first["by_ef"].items()} == {str(ef): 1.0 for ef in EFS}
    assert main(words) == 0
    again = json.loads(capsys.readouterr().out)
    assert "build_s" not in again
    assert again["by_ef"].keys() == first["by_ef"].keys()
