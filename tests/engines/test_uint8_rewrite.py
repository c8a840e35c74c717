from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from checkpoints import onnx_file
from checkpoints.onnx_file import Network, Node, Value
from engines.prepare import PIXELS, prepared_network
from engines.uint8_rewrite import for_onnx_runtime, is_quantised, uint8_activations, widened
from tests.engines.small_nets import small_net, spec_of


def _zero_points(network: Network) -> dict[str, tuple[str, int]]:
    """Of every node that quantises or undoes it, by its output: type and value."""
    found = {}
    for node in network.nodes:
        if node.op in ("QuantizeLinear", "DequantizeLinear"):
            zero = network.constants[node.inputs[2]]
            found[node.outputs[0]] = str(zero.dtype), int(np.ravel(zero)[0])
    return found


def test_activations_move_and_weights_stay() -> None:
    network = small_net(quantise=True).network()
    before = _zero_points(network)
    after = _zero_points(uint8_activations(network))
    assert set(before.values()) == {("int8", 0)}
    assert after == {
        "kernel_dq": ("int8", 0),
        "picture_q": ("uint8", 128),
        "picture_dq": ("uint8", 128),
        "boxes_q": ("uint8", 0),  # behind a ReLU
        "boxes_dq": ("uint8", 0),
    }
    assert _zero_points(network) == before  # the one that was given is left alone


def test_a_zero_point_that_several_share_is_moved_for_each_as_it_needs() -> None:
    network = small_net(quantise=True).network()
    for node in network.nodes:
        if node.op in ("QuantizeLinear", "DequantizeLinear") and node.inputs[0] != "kernel":
            node.inputs[2] = "picture_zero"
    after = _zero_points(uint8_activations(network))
    assert (after["picture_dq"], after["boxes_dq"]) == (("uint8", 128), ("uint8", 0))


def test_what_is_uint8_already_stays() -> None:
    network = uint8_activations(small_net(quantise=True).network())
    assert onnx_file.write(uint8_activations(network)) == onnx_file.write(network)


def _run(network: Network, pixels: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
    """Unoptimised each node is computed as it stands: the definition, not a fast kernel."""
    ort = pytest.importorskip("onnxruntime")
    settings = ort.SessionOptions()
    settings.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = ort.InferenceSession(onnx_file.write(network), settings, ["CPUExecutionProvider"])
    answer: list[NDArray[np.float32]] = session.run(None, {PIXELS: pixels})
    return answer


def test_the_same_numbers_come_out(tmp_path: Path) -> None:
    spec = spec_of(small_net(quantise=True).network(), tmp_path, precision="int8")
    network = prepared_network(spec)
    pixels = np.random.default_rng(0).integers(0, 256, (2, 8, 30), np.uint8)
    plain = _run(network, pixels)
    assert plain[0].max() < 127 * 3 / 64  # nothing is cut off
    for one, other in zip(plain, _run(uint8_activations(network), pixels), strict=True):
        np.testing.assert_array_equal(one, other)


def test_what_a_network_has_learnt_to_cut_off_is_cut_off(tmp_path: Path) -> None:
    network = prepared_network(spec_of(small_net(quantise=True).network(), tmp_path, precision="int8"))
    rectified = {node.outputs[0] for node in network.nodes if node.op == "Relu"}
    (scale,) = {node.inputs[1] for node in network.nodes if node.op == "QuantizeLinear" and node.inputs[0] in rectified}
    network.constants[scale] = network.constants[scale] / np.float32(4)
    pixels = np.random.default_rng(0).integers(0, 256, (2, 8, 30), np.uint8)
    plain = _run(network, pixels)
    assert not np.array_equal(plain[1], _run(uint8_activations(network), pixels)[1])
    for one, other in zip(plain, _run(uint8_activations(network, cuts_off=True), pixels), strict=True):
        np.testing.assert_array_equal(one, other)


def test_widened_it_computes_with_the_rounded_weights_in_fp32(tmp_path: Path) -> None:
    net = small_net(quantise=True)
    spec = spec_of(net.network(), tmp_path, precision="int8")
    network = widened(prepared_network(spec))
    assert not {"QuantizeLinear", "DequantizeLinear"} & {node.op for node in network.nodes}
    scales = np.abs(net.kernel).max(axis=(1, 2, 3), keepdims=True) / 127
    rounded = replace(net, kernel=(np.round(net.kernel / scales) * scales).astype(np.float32), quantise=False)
    pictures = np.random.default_rng(0).integers(0, 256, spec.input_shape, np.uint8)
    expected = rounded.compute((pictures[..., ::-1].astype(np.float64) - 127.5) / 128)
    answer = _run(network, pictures.reshape(2, 8, 30))
    np.testing.assert_allclose(answer[0], expected["boxes"], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("axis", [1, -1])
def test_scales_lie_along_their_axis(axis: int) -> None:
    numbers, scales = np.arange(6, dtype=np.int8).reshape(2, 3), np.array([1, 10, 100], np.float32)
    constants = {"w": numbers, "s": scales, "z": np.array([0, 1, 0], np.int8)}
    nodes = [
        Node("DequantizeLinear", ["w", "s", "z"], ["weights"], {"axis": axis}),
        Node("MatMul", ["x", "weights"], ["y"]),
    ]
    network = widened(Network(nodes, dict(constants), [Value("x", (1, 2))], [Value("y", (1, 3))], 17))
    assert network.constants["weights"].tolist() == [[0, 0, 200], [3, 30, 500]]


@pytest.mark.parametrize(("op", "is_rounded"), [("Relu", True), ("PRelu", False)])
def test_only_a_network_of_relus_keeps_its_roundings(op: str, is_rounded: bool) -> None:
    network = small_net(quantise=True).network()
    (activation,) = (node for node in network.nodes if node.op == "Relu")
    activation.op = op
    network.outputs = [value for value in network.outputs if value.name != "boxes"]
    assert is_quantised(for_onnx_runtime(network)) == is_rounded


def test_a_network_knows_whether_it_is_quantised() -> None:
    assert is_quantised(small_net(quantise=True).network())
    assert not is_quantised(small_net().network())
