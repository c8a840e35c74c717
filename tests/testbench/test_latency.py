"""What the latency of the program is told as; the running of the program is replaced."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from checkpoints.errors import SourceError
from pipeline.config import RunConfig
from testbench import latency

FIGURES = {"frames": 3, "latency_ms": {"total": 12.5}}


class PretendRun:
    """As `app.run.Run`: writes its report and gives an exit code."""

    def __init__(self, config: RunConfig, *, report: Path, trace: Path | None) -> None:
        self._source, self._report = config.cameras[0].source, report

    def __call__(self) -> int:
        if self._source == "missing.mp4":
            raise SourceError("The video cannot be opened.", saw="missing.mp4")
        self._report.write_text(json.dumps(FIGURES))
        return 1


@pytest.fixture(autouse=True)
def pretended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(latency, "Run", PretendRun)


def test_figures_are_told_and_kept_and_the_exit_code_is_the_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "latency.json"
    assert latency.main(["--source", "clip.mp4", "--json", str(out)]) == 1
    assert json.loads(capsys.readouterr().out) == json.loads(out.read_text()) == FIGURES


def test_a_file_that_cannot_be_written_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert latency.main(["--source", "clip.mp4", "--json", str(tmp_path / "no" / "latency.json")]) == 2
    assert "The figures cannot be written." in capsys.readouterr().err


def test_a_source_that_is_missing_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert latency.main(["--source", "missing.mp4"]) == 2
    assert capsys.readouterr() == ("", "The video cannot be opened.\n  saw: missing.mp4\n")
