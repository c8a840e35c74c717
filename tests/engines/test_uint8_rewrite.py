from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from checkpoints import onnx_file
from checkpoints.onnx_file import Network
from engines.prepare import PIXELS, prepared_network
from engines.uint8_rewrite import is_quantised, uint8_activations
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
    assert after.pop("kernel_dq") == ("int8", 0)
    assert set(after.values()) == {("uint8", 128)}
    assert _zero_points(network) == before  # the one that was given is left alone


def test_another_zero_point_moves_by_as_much() -> None:
    network = small_net(quantise=True).network()
    network.constants["picture_zero"] = np.array(-128, np.int8)
    after = _zero_points(uint8_activations(network))
    assert after["picture_q"] == after["picture_dq"] == ("uint8", 0)


def test_what_is_uint8_already_stays() -> None:
    network = uint8_activations(small_net(quantise=True).network())
    assert onnx_file.write(uint8_activations(network)) == onnx_file.write(network)


def test_the_same_numbers_come_out(tmp_path: Path) -> None:
    ort = pytest.importorskip("onnxruntime")
    spec = spec_of(small_net(quantise=True).network(), tmp_path, precision="int8")
    network = prepared_network(spec)
    pixels = np.random.default_rng(0).integers(0, 256, (2, 8, 30), np.uint8)
    # Unoptimised each node is computed as it stands: the definition, not a fast kernel.
    settings = ort.SessionOptions()
    settings.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    plain, moved = (
        ort.InferenceSession(onnx_file.write(each), settings, ["CPUExecutionProvider"]).run(None, {PIXELS: pixels})
        for each in (network, uint8_activations(network))
    )
    for one, other in zip(plain, moved, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_network_knows_whether_it_is_quantised() -> None:
    assert is_quantised(small_net(quantise=True).network())
    assert not is_quantised(small_net().network())
