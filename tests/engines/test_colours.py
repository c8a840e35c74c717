from __future__ import annotations

import numpy as np
import openvino
import pytest
from numpy.typing import NDArray

from checkpoints import onnx_file
from checkpoints.onnx_file import Network, Node, Value
from engines.colours import exchange_colours


def network(*, int8: bool = False) -> Network:
    """Scaled and turned to (N, C, H, W), then two first layers."""
    random = np.random.default_rng(5)
    constants = {"half": np.array(0.5, np.float32)}
    nodes = [
        Node("Mul", ["picture", "half"], ["scaled"]),
        Node("Transpose", ["scaled"], ["turned"], {"perm": (0, 3, 1, 2)}),
    ]
    for name in ("one", "two"):
        weights = f"{name}_weights"
        numbers = random.integers(-127, 127, (4, 3, 3, 3)).astype(np.int8)
        if int8:
            constants |= {f"{name}_int8": numbers, f"{name}_scales": np.linspace(0.01, 0.04, 4, dtype="f4")}
            constants[f"{name}_zeros"] = np.zeros(4, np.int8)
            widened = [f"{name}_int8", f"{name}_scales", f"{name}_zeros"]
            nodes.append(Node("DequantizeLinear", widened, [weights], {"axis": 0}))
        else:
            constants[weights] = numbers.astype(np.float32) / 50
        nodes.append(Node("Conv", ["turned", weights], [name], {"kernel_shape": (3, 3)}))
    outputs = [Value(name, ("N", 4, 4, 4)) for name in ("one", "two")]
    return Network(nodes, constants, [Value("picture", ("N", 6, 6, 3))], outputs, 17, 8)


def run(net: Network, picture: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    core = openvino.Core()
    model = core.read_model(onnx_file.write(net), b"")
    model.reshape(list(picture.shape))
    results = core.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})(picture)
    return [np.array(results[index]) for index in range(2)]


@pytest.mark.parametrize("int8", [False, True])
def test_a_network_with_exchanged_weights_takes_exchanged_pictures(int8: bool) -> None:
    picture = np.random.default_rng(6).uniform(0, 255, (2, 6, 6, 3)).astype(np.float32)
    before, after = network(int8=int8), network(int8=int8)
    assert exchange_colours(after, "picture")
    for one, other in zip(run(before, picture), run(after, picture[..., ::-1].copy()), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-3)
        assert np.abs(one - one[:, ::-1]).max() > 1


def grey(net: Network) -> None:
    net.nodes.insert(2, Node("ReduceMean", ["turned"], ["grey"], {"axes": (1,)}))


def for_each_colour(net: Network) -> None:
    net.constants["half"] = np.array([0.5, 0.4, 0.3], np.float32)


def seen(net: Network) -> None:
    net.outputs.append(Value("scaled", ("N", 6, 6, 3)))


def shared(net: Network) -> None:
    net.nodes[-1].inputs[1] = "one_weights"


def in_groups(net: Network) -> None:
    net.constants["two_weights"] = np.ones((3, 1, 3, 3), np.float32)
    net.nodes[-1].attributes["group"] = 3


@pytest.mark.parametrize("change", [grey, for_each_colour, seen, shared, in_groups])
def test_where_weights_cannot_do_it_nothing_changes(change: object) -> None:
    net = network()
    assert callable(change)
    change(net)
    before = {name: array.copy() for name, array in net.constants.items()}
    assert not exchange_colours(net, "picture")
    for name, array in before.items():
        np.testing.assert_array_equal(net.constants[name], array)
