from __future__ import annotations

import json
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="the extra [train] is not installed")
pytest.importorskip("matplotlib", reason="the extra [train] is not installed")

from tests.training import three_networks  # noqa: E402
from training.shapes import PARTS  # noqa: E402
from training.validate import main  # noqa: E402


def test_all_that_can_be_measured_is_measured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    full, rounded = three_networks.as_checkpoints(tmp_path / "run"), tmp_path / "int8"
    three_networks.as_files(rounded, rounded=True)
    data = three_networks.photographs(tmp_path / "faces")
    for part in PARTS:
        three_networks.samples(tmp_path / "samples" / part, part)
    out = tmp_path / "out"
    flags = ["--data", str(data), "--samples", str(tmp_path / "samples"), "--seconds", "0.01", "--out", str(out)]
    flags += ["--min-height", "0", "20", "--against", "full"]
    assert main([f"int8={rounded}", f"full={full}", *flags]) == 0
    printed = capsys.readouterr().out
    told = json.loads((out / "validate.json").read_text(encoding="utf-8"))
    assert told["against"] == "full"
    assert {each["cascade"] for each in told["cascades"]} == {"int8", "full"}
    assert {each["min_height_px"] for each in told["cascades"]} == {0, 20}
    assert {each["part"] for each in told["nets"]} == set(PARTS) == set(told["ms"])
    # Rounding by a few steps of int8 hardly changes what random networks say.
    assert all(each["retention"] > 80 for each in told["nets"])
    rows = [line for line in printed.splitlines() if line.startswith("| int8 ")]
    assert len(rows) == 2 + len(PARTS) + 1  # one for each height, for each network, and for P-Net in pictures
    plots = {path.name for path in out.glob("*.png")}
    assert plots == {
        f"{kind}.png" for kind in ("precision_recall_0", "precision_recall_20", "speed_accuracy_0", "speed_accuracy_20")
    } | {"proposals.png"}
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in out.glob("*.png"))


def test_one_network_can_be_tried_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = three_networks.as_files(tmp_path / "files")
    three_networks.samples(tmp_path / "samples" / "onet", "onet")
    assert main([f"one={files}", "--samples", str(tmp_path / "samples"), "--parts", "onet"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("| onet")
    assert "100.00" in printed


@pytest.mark.parametrize(
    ("flags", "what"),
    [
        (["mtcnn"], "NAME=WHERE"),
        (["one=FILES", "one=FILES"], "a name of its own"),
        (["one=FILES", "--against", "two"], "no cascade of that name"),
        (["one=FILES"], "nothing to measure"),
        (["one=FILES", "--data", "nowhere"], "does not exist"),
        (["one=FILES", "--samples", "nowhere"], "no samples"),
    ],
)
def test_what_cannot_be_compared_is_told(
    flags: list[str], what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    three_networks.as_files(tmp_path / "FILES")
    assert main(flags) == 2
    assert what in capsys.readouterr().err
