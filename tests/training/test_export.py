from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

torch = pytest.importorskip("torch", reason="the extra [train] is not installed")
onnx = pytest.importorskip("onnx", reason="the extra [train] is not installed")

from onnx.reference import ReferenceEvaluator  # noqa: E402

from checkpoints import onnx_file  # noqa: E402
from checkpoints.onnx_file import Network, Node  # noqa: E402
from engines.load import opener  # noqa: E402
from engines.models import detector_model  # noqa: E402
from engines.options import EngineOptions  # noqa: E402
from tests.training.settled import calibrated, looks, settled  # noqa: E402
from training import checkpoint  # noqa: E402
from training.agreement import PIECES, pieces  # noqa: E402
from training.checkpoint import AnyNet  # noqa: E402
from training.export import export, main, onnx_bytes, onnx_network  # noqa: E402
from training.nets import Block  # noqa: E402
from training.quantised import RoundedBlock  # noqa: E402
from training.shapes import FORMS, PARTS, WINDOW_PX, Form, Part  # noqa: E402

# A network of its own for each way that a layer can be written.
KINDS: list[tuple[Part, Form]] = [
    ("pnet", "reference"),
    ("pnet", "light"),
    ("pnet", "strided"),
    ("rnet", "plain"),
    ("rnet", "light"),
    ("onet", "reference"),
]
ROUNDS = ("QuantizeLinear", "DequantizeLinear")


def made_by(network: Network) -> dict[str, Node]:
    return {name: node for node in network.nodes for name in node.outputs}


def run(raw: bytes, pictures: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    model = onnx.load_from_string(raw)
    onnx.checker.check_model(model, full_check=True)
    model.opset_import[0].version = 19  # from there on the package computes pairs, which mean the same in 17
    return list(ReferenceEvaluator(model).run(None, {"pictures": pictures}))


@torch.no_grad()
def said(net: AnyNet, pictures: torch.Tensor) -> list[NDArray[np.float32]]:
    return [(each.permute(0, 2, 3, 1) if each.ndim == 4 else each).numpy() for each in net(pictures)]


@pytest.mark.parametrize(("part", "form"), KINDS)
def test_a_file_in_full_says_what_the_network_says(part: Part, form: Form) -> None:
    net, pictures = settled(part, form), looks(part)[:4]
    outputs = run(onnx_bytes(net), pictures.numpy())
    assert len(outputs) == (3 if part == "onet" else 2)
    for found, expected in zip(outputs, said(net, pictures), strict=False):
        np.testing.assert_allclose(found, expected, atol=1e-4)


@pytest.mark.parametrize(("part", "form"), KINDS)
def test_a_file_in_int8_says_what_the_rounded_network_says(part: Part, form: Form) -> None:
    """A number that lies between two steps may fall to the other side; that happens to few pictures."""
    net, pictures = calibrated(part, form), looks(part)[:8]
    outputs = run(onnx_bytes(net), pictures.numpy())
    full = said(settled(part, form), pictures)
    for found, expected, unrounded in zip(outputs, said(net, pictures), full, strict=False):
        away = np.abs(found - expected).reshape(len(pictures), -1).max(axis=1)
        assert np.median(away) < 1e-4
        assert np.abs(found - unrounded).max() > 1e-3  # it does round


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("form", FORMS)
def test_pairs_are_where_layers_read_and_weights_are_int8(part: Part, form: Form) -> None:
    net = calibrated(part, form)
    network = onnx_network(net)
    blocks = sum(isinstance(module, RoundedBlock) for module in net.blocks)
    heads = 3 if part == "onet" else 2
    counted = Counter(node.op for node in network.nodes)
    assert counted["QuantizeLinear"] == blocks + 1
    assert counted["DequantizeLinear"] == blocks + 1 + blocks + heads
    assert counted["Conv"] + counted["Gemm"] == blocks + heads
    source = made_by(network)
    for node in network.nodes:
        if node.op in ("Conv", "Gemm"):
            read = source[node.inputs[0]]
            while read.op in ("Flatten", "MaxPool"):
                read = source[read.inputs[0]]
            assert read.op == "DequantizeLinear"
            widening = source[node.inputs[1]]
            assert widening.op == "DequantizeLinear" and widening.attributes["axis"] == 0
            assert network.constants[widening.inputs[0]].dtype == np.int8
            assert network.constants[widening.inputs[0]].min() >= -127
            assert network.constants[node.inputs[2]].dtype == np.float32
        if node.op in ROUNDS:
            assert network.constants[node.inputs[2]].dtype == np.int8
            assert not network.constants[node.inputs[2]].any()
    assert all(source[value.name].op not in ROUNDS for value in network.outputs)


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("form", FORMS)
def test_a_file_in_full_has_no_pairs_and_no_normalisation(part: Part, form: Form) -> None:
    net = settled(part, form)
    counted = Counter(node.op for node in onnx_network(net).nodes)
    assert not {*ROUNDS, "BatchNormalization"} & counted.keys()
    assert counted["Relu"] + counted["PRelu"] == sum(isinstance(module, Block) for module in net.blocks)
    assert (counted["PRelu"] > 0) == (form == "reference")


def test_pnet_takes_any_size_and_gives_a_map() -> None:
    net = calibrated("pnet", "large")
    pictures = torch.nn.functional.interpolate(looks("pnet")[:2], (31, 44))
    odds, boxes = run(onnx_bytes(net), pictures.numpy())
    assert odds.shape == (2, 10, 17, 1)
    assert boxes.shape == (2, 10, 17, 4)
    np.testing.assert_allclose(np.median(np.abs(odds - said(net, pictures)[0])), 0, atol=1e-4)


@pytest.mark.parametrize("make", [settled, calibrated])
def test_the_same_network_gives_the_same_bytes(make: object) -> None:
    first, second = (make("rnet", "plain") for _ in range(2))  # type: ignore[operator]
    assert onnx_bytes(first) == onnx_bytes(second)
    assert onnx_file.write(onnx_file.read(onnx_bytes(first))) == onnx_bytes(first)


def test_training_mode_does_not_change_the_file() -> None:
    net = settled("pnet", "plain")
    assert onnx_bytes(net.train()) == onnx_bytes(net.eval())


def test_what_was_exported_is_told() -> None:
    done = export([calibrated("pnet", "large"), settled("rnet", "plain")])
    assert [(part, each.pairs, each.widened) for part, each in done.items()] == [("pnet", 4, 5), ("rnet", 0, 0)]
    assert "int8, 4 pairs, 5 layers" in str(done["pnet"])
    assert "fp32" in str(done["rnet"])
    assert done["rnet"].raw == onnx_bytes(settled("rnet", "plain"))


def test_the_command_writes_a_file_for_each_part(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths = []
    for part in ("pnet", "rnet"):
        paths.append(str(tmp_path / f"any_{part}.pt"))
        checkpoint.save(Path(paths[-1]), calibrated(part, "strided", learned_steps=part == "rnet"))  # type: ignore[arg-type]
    assert main([*paths, "--out", str(tmp_path / "out")]) == 0
    assert "pnet: 24 kB, int8, 4 pairs, 5 layers" in capsys.readouterr().out
    assert (tmp_path / "out" / "pnet.onnx").read_bytes() == onnx_bytes(calibrated("pnet", "strided"))
    assert (tmp_path / "out" / "rnet.onnx").is_file()


def test_with_a_name_they_make_a_cascade_that_runs_in_int8(tmp_path: Path) -> None:
    paths = []
    for part in PARTS:
        paths.append(str(tmp_path / f"{part}.pt"))
        checkpoint.save(Path(paths[-1]), calibrated(part, "strided"))
    assert main([*paths, "--out", str(tmp_path / "out"), "--name", "by_chance"]) == 0
    config = EngineOptions(detector=str(tmp_path / "out" / "by_chance.json"), precision="int8", cache=tmp_path)
    model = detector_model(config)
    assert [file.pairs for file in model.known.files] == [True, True, True]
    for part in PARTS:
        spec = model.spec(config, part, ("log_odds", "boxes"), batch=PIECES, size_wh=(WINDOW_PX[part],) * 2)
        engine = opener(config)(spec)
        engine.input[...] = pieces(WINDOW_PX[part])
        odds = engine.run()[0].reshape(PIECES).copy()
        engine.close()
        expected = said(calibrated(part, "strided"), looks(part))[0].reshape(PIECES)
        assert np.corrcoef(odds, expected)[0, 1] > 0.98


def test_a_cascade_needs_all_three(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    checkpoint.save(tmp_path / "pnet.pt", calibrated("pnet", "plain"))
    assert main([str(tmp_path / "pnet.pt"), "--out", str(tmp_path / "out"), "--name", "some"]) == 2
    assert "three networks" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_two_checkpoints_of_one_part_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "one.pt"
    checkpoint.save(path, settled("pnet", "plain"))
    assert main([str(path), str(path), "--out", str(tmp_path)]) == 2
    assert "same part" in capsys.readouterr().err
    assert not (tmp_path / "pnet.onnx").exists()


def test_what_is_no_checkpoint_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "one.pt"
    path.write_bytes(b"no network")
    assert main([str(path), "--out", str(tmp_path)]) == 2
    assert "cannot be read" in capsys.readouterr().err
