from __future__ import annotations

from pathlib import Path

import numpy as np
import openvino as ov
import pytest

from checkpoints import onnx_file
from checkpoints.onnx_file import Network, Node, Value
from engines.half import half
from engines.prepare import prepared_network
from tests.engines.small_nets import small_net, spec_of


def _network(tmp_path: Path) -> Network:
    return prepared_network(spec_of(small_net().network(), tmp_path))


def test_everything_behind_the_normalisation_is_fp16(tmp_path: Path) -> None:
    network = half(_network(tmp_path), "picture")
    dtypes = {name: array.dtype for name, array in network.constants.items()}
    assert {dtypes[name] for name in dtypes if name.startswith("facewire_input")} == {np.dtype("f4"), np.dtype("i8")}
    assert {dtypes[f"{name}_half"] for name in ("kernel", "bias", "head")} == {np.dtype("f2")}
    assert [value.dtype for value in network.outputs] == [np.dtype("f4")] * 3
    casts = [(node.inputs[0], node.attributes["to"]) for node in network.nodes if node.op == "Cast"]
    assert casts[:2] == [("facewire_pixels", 1), ("picture", 10)]
    assert [to for _, to in casts[2:]] == [1, 1, 1]


def test_it_computes_nearly_the_same(tmp_path: Path) -> None:
    whole = _network(tmp_path)
    pixels = np.random.default_rng(0).integers(0, 256, (2, 8, 30), np.uint8)
    settings = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1}
    core = ov.Core()
    answers = []
    for network in (whole, half(whole, "picture")):
        answer = core.compile_model(core.read_model(onnx_file.write(network), b""), "CPU", settings)(pixels)
        answers.append([answer[value.name].copy() for value in whole.outputs])
    for one, other in zip(*answers, strict=True):
        assert 0 < np.abs(one - other).max() < 0.02


def test_an_output_that_another_node_takes_is_still_given(tmp_path: Path) -> None:
    network = half(_network(tmp_path), "picture")
    (pool,) = (node for node in network.nodes if node.op == "GlobalAveragePool")
    assert pool.inputs == ["boxes_half"]
    assert ["boxes"] in [node.outputs for node in network.nodes]


def test_what_must_be_fp32_stays_fp32() -> None:
    """The scales of a Resize are fp32 whatever the picture is; a constant that serves both comes in both."""
    nodes = [
        Node("Identity", ["in"], ["begin"]),
        Node("Resize", ["begin", "", "factors"], ["large"], {"mode": "nearest"}),
        Node("Mul", ["large", "factors"], ["scaled"]),
        Node("Cast", ["scaled"], ["cast"], {"to": 1}),
        Node("Constant", [], ["one"], {"value": np.array(1, np.float32)}),
        Node("Add", ["cast", "one"], ["out"]),
    ]
    constants = {"factors": np.array([1, 1, 2, 2], np.float32)}
    value = (1, 1, 2, 2)
    network = half(Network(nodes, constants, [Value("in", value)], [Value("out", (1, 1, 4, 4))], 17), "begin")
    by_op = {node.op: node for node in network.nodes if node.op != "Cast"}
    assert by_op["Resize"].inputs == ["begin_half", "", "factors"]
    assert by_op["Mul"].inputs == ["large", "factors_half"]
    assert (network.constants["factors"].dtype, network.constants["factors_half"].dtype) == (
        np.dtype("f4"),
        np.dtype("f2"),
    )
    constant = by_op["Constant"].attributes["value"]
    assert isinstance(constant, np.ndarray) and constant.dtype == np.float16 and constant.shape == ()
    assert onnx_file.write(network)
    assert [node.attributes["to"] for node in network.nodes if node.op == "Cast"] == [10, 10, 1]


@pytest.mark.parametrize("value", [1e9, -1e9, np.inf])
def test_what_fp16_cannot_hold_becomes_its_largest(tmp_path: Path, value: float) -> None:
    network = small_net().network()
    network.constants["bias"] = np.array([value, 0, 1, 2], np.float32)
    narrowed = half(prepared_network(spec_of(network, tmp_path)), "picture").constants["bias_half"]
    assert narrowed.tolist() == [np.sign(value) * 65504, 0, 1, 2]
