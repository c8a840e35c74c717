from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="the extra [train] is not installed")
pytest.importorskip("tensorboard", reason="the extra [train] is not installed")
pytest.importorskip("matplotlib", reason="the extra [train] is not installed")
pytest.importorskip("onnx", reason="the extra [train] is not installed")

from checkpoints import onnx_file
from engines.load import opener
from engines.options import EngineOptions
from training import label_writer, trio
from training.labels import Labelled, Marks
from training.run import CASCADES, main
from training.shapes import PARTS


@pytest.mark.slow
def test_the_whole_way_ends_with_int8_files_that_run(tmp_path: Path) -> None:
    log = tmp_path / "LOG.md"
    log.write_text("# Log\n\nBefore.\n", encoding="utf-8")
    told = ["--preset", "tiny", "--out", str(tmp_path / "run"), "--threads", "1", "--log", str(log)]
    assert main(told) == 0
    found = json.loads((tmp_path / "run" / "findings" / "validate.json").read_text(encoding="utf-8"))
    accuracies = {(net["part"], net["cascade"]): net["accuracy"] for net in found["nets"]}
    for part in PARTS:
        for kind in CASCADES:
            assert accuracies[part, kind] > 0.8
        ops = [node.op for node in onnx_file.read(_onnx(tmp_path, "int8", part).read_bytes()).nodes]
        assert ops.count("QuantizeLinear") >= 3
        assert ops.count("DequantizeLinear") > ops.count("QuantizeLinear")
        config = EngineOptions(cache=tmp_path, precision="int8")
        engine = opener(config)(trio.network(part, str(_onnx(tmp_path, "int8", part)), config, tmp_path))
        assert all(np.isfinite(output).all() for output in engine.run())
        engine.close()
    assert "Before." in log.read_text(encoding="utf-8")
    assert "training.run --preset tiny" in log.read_text(encoding="utf-8")
    assert main(told) == 0  # all is there: nothing is done again


def _onnx(folder: Path, kind: str, part: str) -> Path:
    return folder / "run" / "onnx" / kind / f"{part}.onnx"


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        (["--preset", "cpu"], "no faces to learn from"),
        (["--preset", "tiny", "--backgrounds", "places"], "no faces to learn from"),
        (["--preset", "cpu", "--people", "people"], "need backgrounds"),
    ],
)
def test_what_cannot_be_learnt_from_is_told_before_any_work(
    flags: list[str], says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*flags, "--out", str(tmp_path / "out")]) == 2
    assert says in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_labels_of_another_folder_of_the_same_name_are_not_taken(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folders = [tmp_path / where / "pictures" for where in ("one", "other", "places")]
    for folder in folders:
        folder.mkdir(parents=True)
        (folder / "1.png").write_bytes(b"")
    images = folders[0]
    with label_writer.Writer(tmp_path / "out" / "labels" / "people" / "pictures", images, "yunet and mtcnn") as writer:
        nobody = Marks(np.zeros((0, 4), np.float32), np.zeros((0, 5, 2), np.float32), np.zeros(0, bool))
        writer.add(Labelled.of(images / "1.png", (9, 9), nobody))
        writer.finish()
    people = [str(folder) for folder in folders[:2]]
    flags = ["--preset", "cpu", "--people", *people, "--backgrounds", str(folders[2])]
    assert main([*flags, "--out", str(tmp_path / "out")]) == 2
    assert "of other pictures" in capsys.readouterr().err
