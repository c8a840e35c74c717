from __future__ import annotations

import os
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="the extra [train] is not installed")

from checkpoints.errors import DataError, OutputError
from training import diary
from training.findings import Findings

FINDINGS = Findings("int8", ms={"pnet": {"int8": 1.25}})


def test_a_paragraph_is_added(tmp_path: Path) -> None:
    log = tmp_path / "LOG.md"
    for seconds in (60.0, 120.0):
        diary.add(log, "tiny", FINDINGS, seconds)
    first, one, other = log.read_text(encoding="utf-8").split("\n\n")
    assert first == "# Log"
    assert "took 1 minutes. pnet: int8 1.25 ms." in one
    assert "took 2 minutes." in other


def test_what_is_no_text_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "LOG.md").write_bytes(b"\xff\xfe")
    with pytest.raises(DataError, match="cannot be read"):
        diary.add(tmp_path / "LOG.md", "tiny", FINDINGS, 60)
    assert (tmp_path / "LOG.md").read_bytes() == b"\xff\xfe"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_on_a_full_disk_the_log_stays_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "LOG.md").write_text("# Log\n", encoding="utf-8")
    (tmp_path / f".LOG.md.{os.getpid()}").symlink_to("/dev/full")
    with pytest.raises(OutputError, match="cannot be written"):
        diary.add(tmp_path / "LOG.md", "tiny", FINDINGS, 60)
    assert (tmp_path / "LOG.md").read_text(encoding="utf-8") == "# Log\n"
