from __future__ import annotations

import json
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="the extra [train] is not installed")
pytest.importorskip("tensorboard", reason="the extra [train] is not installed")

from checkpoints.errors import DataError  # noqa: E402
from tests.training import three_networks  # noqa: E402
from tests.training.settled import calibrated, settled  # noqa: E402
from training import checkpoint, teacher_odds  # noqa: E402
from training.cost import multiplications  # noqa: E402
from training.nets import Net  # noqa: E402
from training.prune import Cuts, main  # noqa: E402

SHORT = ["--steps", "4", "--batch", "24", "--checks", "1", "--threads", "1"]


@pytest.fixture
def samples(tmp_path: Path) -> Path:
    return three_networks.samples(tmp_path / "samples", "pnet")


@pytest.fixture
def taught(tmp_path: Path) -> Path:
    checkpoint.save(tmp_path / "pnet.pt", settled("pnet", "large"))
    return tmp_path / "pnet.pt"


def _run(taught: Path, samples: Path, out: Path, *more: str) -> int:
    return main([str(taught), "--samples", str(samples), "--out", str(out), "--rounds", "2", *SHORT, *more])


def test_both_ways_lead_to_a_small_network_of_one_shape(
    taught: Path, samples: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert _run(taught, samples, out, "--to", "0.3", "--also-anew") == 0
    pruned, anew = (checkpoint.load(out / way / "best.pt", "pnet") for way in ("pruned", "anew"))
    assert isinstance(pruned, Net)
    assert pruned.shape == anew.shape
    assert multiplications(pruned.shape) <= 0.3 * multiplications(settled("pnet", "large").shape)
    assert all(width % 4 == 0 for width in pruned.shape.widths)
    table = capsys.readouterr().out
    told = json.loads((out / "prune.json").read_text(encoding="utf-8"))
    assert [each["name"] for each in told["networks"]] == ["before", "pruned", "anew"]
    assert f"| pruned | {' '.join(map(str, pruned.shape.widths))}" in table


def test_the_same_command_goes_on_and_does_nothing_twice(taught: Path, samples: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert _run(taught, samples, out) == 0
    files = {path: path.stat().st_mtime_ns for path in out.rglob("*.pt")}
    figures = (out / "prune.json").read_bytes()
    assert _run(taught, samples, out) == 0
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*.pt")} == files
    assert (out / "prune.json").read_bytes() == figures


def test_a_teacher_is_listened_to(taught: Path, samples: Path, tmp_path: Path) -> None:
    assert _run(taught, samples, tmp_path / "none", "--teacher", "0.5") == 2
    teacher_odds.write(samples / "taught", torch.full((192,), -8.0).numpy())
    assert _run(taught, samples, tmp_path / "with", "--teacher", "1") == 0


def test_a_network_that_rounds_is_refused(samples: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    checkpoint.save(tmp_path / "rounds.pt", calibrated("pnet", "plain"))
    assert _run(tmp_path / "rounds.pt", samples, tmp_path / "out") == 2
    assert "Prune it first" in capsys.readouterr().err


def test_samples_of_another_network_are_refused(
    taught: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(taught, three_networks.samples(tmp_path / "rnet", "rnet"), tmp_path / "out") == 2
    assert "another network" in capsys.readouterr().err


@pytest.mark.parametrize("wrong", [{"to": 1.5}, {"to": 0}, {"rounds": 0}, {"multiple": 0}, {"recovery": 0}])
def test_cuts_that_make_no_sense_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(DataError, match="cannot be cut"):
        Cuts(**wrong)  # type: ignore[arg-type]
