from __future__ import annotations

import numpy as np
import openvino
import pytest
from numpy.typing import NDArray

from checkpoints import onnx_file
from checkpoints.fold import fold
from checkpoints.onnx_file import Array, Network, Node, Value
from checkpoints.protobuf import ProtobufError

RANDOM = np.random.default_rng(7)


def normal(*shape: int) -> NDArray[np.float32]:
    return RANDOM.normal(size=shape).astype(np.float32)


def normalisation(name: str, source: str, target: str, channels: int, constants: dict[str, Array]) -> Node:
    for part in ("gamma", "beta", "mean"):
        constants[f"{name}_{part}"] = normal(channels)
    constants[f"{name}_variance"] = np.abs(normal(channels)) + np.float32(0.5)
    parameters = [f"{name}_{part}" for part in ("gamma", "beta", "mean", "variance")]
    return Node("BatchNormalization", [source, *parameters], [target], {"epsilon": 1e-3})


def network() -> Network:
    """Normalised behind a convolution, behind an activation and behind a dense layer."""
    constants: dict[str, Array] = {"weights": normal(4, 3, 3, 3), "slope": normal(4, 1, 1), "dense": normal(5, 36)}
    nodes = [
        Node("Conv", ["picture", "weights"], ["map"], {"kernel_shape": (3, 3)}),
        normalisation("first", "map", "normal_map", 4, constants),
        Node("PRelu", ["normal_map", "slope"], ["active"]),
        normalisation("second", "active", "normal_active", 4, constants),
        Node("Constant", [], ["ratio"], {"value": np.array(0.4, np.float32)}),
        Node("Dropout", ["normal_active", "ratio"], ["dropped"]),
        Node("Flatten", ["dropped"], ["flat"], {"axis": 1}),
        Node("Gemm", ["flat", "dense"], ["vector"], {"transB": 1}),
        normalisation("third", "vector", "out", 5, constants),
    ]
    return Network(nodes, constants, [Value("picture", ("N", 3, 5, 5))], [Value("out", ("N", 5))], 13)


def run(net: Network, picture: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    core = openvino.Core()
    model = core.read_model(onnx_file.write(net), b"")
    model.reshape(list(picture.shape))
    compiled = core.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    results = compiled(picture)
    return [np.array(results[index]) for index in range(len(model.outputs))]


def folded(net: Network) -> Network:
    changed = onnx_file.read(onnx_file.write(net))
    fold(changed)
    return changed


def test_a_folded_network_computes_the_same() -> None:
    net = network()
    picture = normal(2, 3, 5, 5)
    np.testing.assert_allclose(run(folded(net), picture)[0], run(net, picture)[0], rtol=1e-4, atol=1e-4)


def test_what_only_training_needs_is_gone() -> None:
    net = folded(network())
    assert [node.op for node in net.nodes] == ["Conv", "PRelu", "Mul", "Add", "Flatten", "Gemm"]
    assert [value.name for value in net.outputs] == ["out"]
    used = {name for node in net.nodes for name in node.inputs}
    assert set(net.constants) <= used


def test_a_map_that_others_read_too_stays_as_it_is() -> None:
    net = network()
    net.outputs.append(Value("map", ("N", 4, 3, 3)))
    after = folded(net)
    assert [node.op for node in after.nodes][:4] == ["Conv", "Mul", "Add", "PRelu"]
    picture = normal(1, 3, 5, 5)
    for one, other in zip(run(after, picture), run(net, picture), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-4)


def test_layers_that_share_weights_are_folded_apart() -> None:
    constants: dict[str, Array] = {"weights": normal(2, 3, 1, 1)}
    nodes = []
    for name in ("left", "right"):
        nodes.append(Node("Conv", ["picture", "weights"], [f"{name}_map"], {"kernel_shape": (1, 1)}))
        nodes.append(normalisation(name, f"{name}_map", name, 2, constants))
    outputs = [Value(name, ("N", 2, 4, 4)) for name in ("left", "right")]
    net = Network(nodes, constants, [Value("picture", ("N", 3, 4, 4))], outputs, 13)
    picture = normal(1, 3, 4, 4)
    for one, other in zip(run(folded(net), picture), run(net, picture), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-4)


def test_a_constant_that_is_no_tensor_is_refused() -> None:
    net = network()
    net.nodes[4] = Node("Constant", [], ["ratio"], {"value_float": 0.4})
    with pytest.raises(ProtobufError, match="ratio"):
        fold(net)
