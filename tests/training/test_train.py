from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="the extra [train] is not installed")
pytest.importorskip("tensorboard", reason="the extra [train] is not installed")

from tests.training.test_fit import pieces  # noqa: E402
from training import checkpoint  # noqa: E402
from training.quantised import QuantisedNet  # noqa: E402
from training.samples import SampleWriter  # noqa: E402
from training.train import main  # noqa: E402

FEW = ["--steps", "12", "--batch", "32", "--checks", "2", "--no-half", "--threads", "1"]


@pytest.fixture
def samples(tmp_path: Path) -> Path:
    for name in ("taught", "held_out"):
        writer = SampleWriter(tmp_path / "samples" / name, "pnet", {})
        writer.append(pieces(), done=1)
        writer.finish()
        writer.close()
    return tmp_path / "samples"


def test_a_network_is_taught_then_taught_to_round(
    tmp_path: Path, samples: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["pnet", "--samples", str(samples), "--out", str(tmp_path / "fp32"), *FEW]) == 0
    assert "accuracy" in capsys.readouterr().out
    best = str(tmp_path / "fp32" / "best.pt")
    assert main(["pnet", "--samples", str(samples), "--out", str(tmp_path / "int8"), "--round", best, *FEW]) == 0
    assert isinstance(checkpoint.load(tmp_path / "int8" / "best.pt"), QuantisedNet)


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        (["--form", "light", "--after", "nothing.pt"], "no checkpoint"),
        (["--teacher", "0.5"], "training.distill"),
        (["--samples", "nowhere"], "training.mine"),
    ],
)
def test_what_cannot_be_done_is_told(
    tmp_path: Path, samples: Path, capsys: pytest.CaptureFixture[str], flags: list[str], says: str
) -> None:
    assert main(["pnet", "--samples", str(samples), "--out", str(tmp_path / "run"), *FEW, *flags]) == 2
    assert says in capsys.readouterr().err


@pytest.mark.slow
def test_two_processes_teach_one_network(tmp_path: Path, samples: Path) -> None:
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    told = ["-m", "training.train", "pnet", "--samples", str(samples), "--out", str(tmp_path / "run"), *FEW]
    subprocess.run([*torchrun, *told], check=True, timeout=150, cwd=Path(__file__).parents[2])
    kept = checkpoint.read(tmp_path / "run" / "best.pt")
    assert kept["step"] in (6, 12)
    assert not any(".module" in name or name.startswith("module.") for name in kept["state"])
