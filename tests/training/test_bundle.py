from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="the extra [train] is not installed")

from checkpoints import manifest, onnx_file, store
from checkpoints.errors import ModelError, OutputError
from engines.load import load_detector, opener
from engines.models import Model, detector_model
from engines.options import EngineOptions
from tests.engines.planted_cascade import bright_network
from training import bundle as bundling
from training import whole_file
from training.bundle import About, bundle, main
from training.shapes import PARTS, Part

ABOUT = About("Bright", "made by hand", figures={"ap": 0.5})


def _networks(level: float = 0.7) -> dict[Part, bytes]:
    """`level` makes them differ."""
    made: dict[Part, bytes] = {}
    for part in PARTS:
        network = bright_network(part)
        network.constants["log_odds_bias"] = np.array([-40 * level], np.float32)
        made[part] = onnx_file.write(network)
    return made


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_program_takes_the_bundle_by_its_manifest(tmp_path: Path) -> None:
    path = bundle(_networks(), tmp_path, "bright", ABOUT)
    assert path == tmp_path / "bright.json"
    options = EngineOptions(str(path), backend="openvino", precision="fp32", models=tmp_path, cache=tmp_path / "e")
    known = detector_model(options).known
    assert (known.name, known.title, known.origin) == ("bright", "Bright", "made by hand")
    assert known.figures == {"ap": 0.5}
    assert (known.mean, known.scale, known.colour) == ((128.0,) * 3, (1 / 128,) * 3, "BGR")
    assert [(file.part, file.size_wh, file.pairs) for file in known.files] == [
        ("pnet", None, True),
        ("rnet", (24, 24), True),
        ("onet", (48, 48), True),
    ]
    detector = load_detector(options, size_wh=(64, 48))
    picture = np.full((48, 64, 3), 250, np.uint8)
    (faces,) = detector.detect([picture])
    assert len(faces) > 0
    detector.close()


def test_it_is_built_in_where_it_is_put_beside_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The manifest is a whole one, as those that come with the program must be."""
    monkeypatch.setattr(store, "TRAINED", tmp_path / "trained")
    path = bundle(_networks(), tmp_path / "trained", "bright", ABOUT, manifests=tmp_path / "manifests")
    known = manifest.parse(path.read_text(encoding="utf-8"), "bright.json")
    assert _names(tmp_path / "manifests") == ["bright.json"]
    files = store.locate(known, tmp_path / "models", int8=True)
    assert {file.parent for file in files.values()} == {tmp_path / "trained"}
    options = EngineOptions(precision="int8", backend="openvino", cache=tmp_path)
    spec = Model(known, tmp_path / "models").spec(options, "onet", ("log_odds", "boxes", "landmarks"))
    engine = opener(options)(spec)
    assert engine.output_shapes == ((1, 1), (1, 4), (1, 10))
    engine.close()


def test_the_same_networks_make_the_same_files_and_new_ones_take_their_place(tmp_path: Path) -> None:
    bundle(_networks(), tmp_path, "bright", ABOUT)
    first = {name: (tmp_path / name).read_bytes() for name in _names(tmp_path)}
    (tmp_path / "bright_pnet.onnx").touch()  # somebody else's
    bundle(_networks(), tmp_path, "bright", ABOUT)
    assert {name: (tmp_path / name).read_bytes() for name in first} == first
    bundle(_networks(0.6), tmp_path, "bright", ABOUT)
    assert len(_names(tmp_path)) == 5
    assert set(_names(tmp_path)) & set(first) == {"bright.json"}
    assert (tmp_path / "bright.json").read_bytes() != first["bright.json"]


@pytest.mark.parametrize("stopped_at", range(4))
def test_whatever_interrupts_it_one_whole_cascade_is_there(
    stopped_at: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = EngineOptions(str(bundle(_networks(), tmp_path, "bright", ABOUT)), models=tmp_path)
    before = detector_model(options).known
    write, written = whole_file.write, []

    def interrupted(path: Path, content: bytes) -> None:
        if len(written) == stopped_at:
            raise KeyboardInterrupt
        written.append(path)
        write(path, content)

    monkeypatch.setattr(whole_file, "write", interrupted)
    with pytest.raises(KeyboardInterrupt):
        bundle(_networks(0.6), tmp_path, "bright", ABOUT)
    assert detector_model(options).known == before
    monkeypatch.setattr(whole_file, "write", write)
    bundle(_networks(0.5), tmp_path, "bright", ABOUT)
    assert detector_model(options).known != before
    assert len(_names(tmp_path)) == 4  # nothing is left of the one that was never whole


def test_what_is_no_cascade_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    networks = _networks()
    wrong = [
        ({part: networks[part] for part in ("pnet", "onet")}, "no rnet"),
        (networks | {"rnet": networks["onet"]}, "landmarks"),
        (networks | {"onet": networks["onet"][:-9]}, ""),
    ]
    for each, told in wrong:
        with pytest.raises(ModelError) as caught:
            bundle(each, tmp_path, "bright", ABOUT)  # type: ignore[arg-type]
        assert told in str(caught.value.saw)
    assert _names(tmp_path) == []


def test_a_folder_that_is_none_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot be written"):
        bundle(_networks(), tmp_path / "file", "bright", ABOUT)


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for part, raw in _networks().items():
        (tmp_path / f"{part}.onnx").write_bytes(raw)
    figures = tmp_path / "figures.json"
    figures.write_text(json.dumps({"ap_20": 0.9}))
    words = [str(tmp_path), "--name", "mine", "--out", str(tmp_path / "out"), "--origin", "by hand"]
    assert main([*words, "--figures", str(figures)]) == 0
    assert str(tmp_path / "out" / "mine.json") in capsys.readouterr().out
    assert json.loads((tmp_path / "out" / "mine.json").read_text(encoding="utf-8"))["figures"] == {"ap_20": 0.9}
    for text in ("{", "[1]", '{"a": "b"}'):
        figures.write_text(text)
        assert main([*words, "--figures", str(figures)]) == 2
        assert "figures cannot be read" in capsys.readouterr().err
    (tmp_path / "rnet.onnx").unlink()
    assert main(words) == 2
    assert "training.export" in capsys.readouterr().err


def test_a_file_that_cannot_be_deleted_is_told_and_the_new_cascade_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = bundle(_networks(), tmp_path, "bright", ABOUT)

    def refuse(self: Path, missing_ok: bool = False) -> None:
        if self.suffix == ".onnx" and not self.name.startswith("."):
            raise PermissionError(13, "held by another program", str(self))

    monkeypatch.setattr(bundling.Path, "unlink", refuse)
    with pytest.raises(OutputError, match="old file"):
        bundle(_networks(0.6), tmp_path, "bright", ABOUT)
    monkeypatch.undo()
    assert detector_model(EngineOptions(str(path))).known.name == "bright"
