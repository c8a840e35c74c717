"""A short run under kills; the long ones, under all faults, are `python -m testbench.chaos --faults all`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from testbench import fault_run, fault_table
from testbench.fault_run import Outcome
from testbench.faults import FullDisk

DATA = Path(__file__).resolve().parents[2] / "data"
ENGINES = ("--models", str(DATA / "models"), "--cache", str(DATA / "engines"))


def test_a_run_that_is_killed_again_and_again_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    out = tmp_path / "kill.json"
    code = fault_run.main(["kill", "--seconds", "8", "--json", str(out), *ENGINES])
    row = json.loads(out.read_text())
    assert code == 0, row
    assert row["times"] == row["survived"] > 0
    assert row["events"] > 25
    assert "yes" in fault_table.table([row])


@pytest.mark.parametrize("wrong", ["frames_lost", "events_lost", "changes_lost", "torn", "disorder"])
def test_a_loss_is_not_clean(wrong: str) -> None:
    assert Outcome("kill", times=3, survived=3).clean
    assert not Outcome("kill", times=3, survived=2).clean
    assert not Outcome("kill").clean, "nothing was done to it"
    assert not Outcome("kill", times=3, survived=3, **{wrong: 1}).clean


def test_the_kinds_of_faults() -> None:
    assert fault_table.kinds("all") == fault_table.KINDS
    assert fault_table.kinds("disk,kill") == ("disk", "kill")
    with pytest.raises(ValueError, match="flood is no fault; valid are all, kill"):
        fault_table.kinds("kill,flood")


def test_a_run_that_breaks_is_a_row_too(tmp_path: Path) -> None:
    rows = fault_table.suffer(["kill"], 1.0, ["--models", "/nowhere"], tmp_path)
    assert [(row["survived"], row["clean"]) for row in rows] == [(0, False)]
    assert " NO" in fault_table.table(rows)


def test_ballast_that_is_thrown_off_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fault = FullDisk(tmp_path)
    monkeypatch.setattr(fault.__class__, "_fill", lambda self: (self.folder / "ballast").write_bytes(b"0"))
    fault.begin()
    fault.end()
    assert list(tmp_path.iterdir()) == []
