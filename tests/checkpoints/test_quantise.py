from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping

import numpy as np
import pytest

from checkpoints import activation_ranges, manifest, onnx_file, quantise, store
from checkpoints.activation_ranges import Ranges
from checkpoints.errors import ModelError
from checkpoints.manifest import Manifest
from checkpoints.model_file import ModelFile
from checkpoints.onnx_file import Array, Network, Node, Value

LIMITS = {"picture": 1.0, "one": 2.0, "left": 3.0, "sum": 4.0}


def network() -> Network:
    """A layer, pooling, two branches that are joined, a residual sum and a dense layer."""
    random = np.random.default_rng(3)
    shapes = {"w_one": (4, 3, 3, 3), "b_one": (4,), "w_left": (3, 4, 1, 1), "w_right": (1, 4, 1, 1)}
    shapes |= {"w_join": (4, 4, 1, 1), "w_out": (36, 5)}
    constants: dict[str, Array] = {name: random.normal(size=shape).astype("f4") for name, shape in shapes.items()}
    kernel = {"kernel_shape": (1, 1)}
    nodes = [
        Node("Conv", ["picture", "w_one", "b_one"], ["map"], {"kernel_shape": (3, 3)}),
        Node("Relu", ["map"], ["one"]),
        Node("MaxPool", ["one"], ["pooled"], {"kernel_shape": (2, 2), "strides": (2, 2)}),
        Node("Conv", ["pooled", "w_left"], ["left"], dict(kernel)),
        Node("Conv", ["pooled", "w_right"], ["right"], dict(kernel)),
        Node("Concat", ["left", "right"], ["joined"], {"axis": 1}),
        Node("Conv", ["joined", "w_join"], ["update"], dict(kernel)),
        Node("Add", ["pooled", "update"], ["sum"]),
        Node("Flatten", ["sum"], ["flat"], {"axis": 1}),
        Node("MatMul", ["flat", "w_out"], ["out"]),
    ]
    return Network(nodes, constants, [Value("picture", ("N", 3, 8, 8))], [Value("out", ("N", 5))], 13)


def ranges(limits: Mapping[str, float] = LIMITS, left: Mapping[str, str] | None = None) -> Ranges:
    return Ranges("by hand", limits, left or {})


def quantised(by: Ranges | None = None) -> Network:
    net = network()
    quantise.quantise(net, by or ranges())
    return net


def by_output(net: Network) -> dict[str, Node]:
    return {name: node for node in net.nodes for name in node.outputs}


def test_every_layer_reads_rounded_numbers_and_rounded_weights() -> None:
    net = quantised()
    made_by = by_output(net)
    for node in net.nodes:
        if node.op in ("Conv", "MatMul"):
            assert made_by[node.inputs[1]].op == "DequantizeLinear"
    assert made_by["left"].inputs[0] == "pooled"
    assert made_by["pooled"].inputs[0] == "one/rounded"  # once, before the pooling
    assert made_by["joined"].inputs == ["left/rounded", "right/rounded"]
    assert made_by["flat"].inputs[0] == "sum/rounded"
    assert made_by["sum"].inputs == ["pooled", "update"]  # the layer's own output is not rounded before the sum
    assert sum(node.op == "QuantizeLinear" for node in net.nodes) == 5
    assert net.opset == 17


def test_joined_maps_share_one_scale() -> None:
    net = quantised()
    made_by = by_output(net)
    scales = [net.constants[made_by[f"{name}/int8"].inputs[1]] for name in ("left", "right")]
    assert scales[0] == scales[1] == np.float32(3 / 127)


def test_a_map_that_is_joined_twice_ties_both_joins() -> None:
    net = network()
    net.constants["w_more"] = np.ones((4, 2, 1, 1), np.float32)
    net.nodes.insert(6, Node("Concat", ["right", "right"], ["again"], {"axis": 1}))
    net.nodes.insert(7, Node("Conv", ["again", "w_more"], ["more"], {"kernel_shape": (1, 1)}))
    leaders = quantise.activations(net, quantise.int8_layers(net, ()))
    assert leaders["left"] == leaders["right"]


def test_zero_points_are_zero_and_of_int8() -> None:
    net = quantised()
    for node in net.nodes:
        if node.op in ("QuantizeLinear", "DequantizeLinear"):
            zero = net.constants[node.inputs[2]]
            assert zero.dtype == np.int8
            assert not zero.any()


@pytest.mark.parametrize(("layer", "weights", "axis"), [("map", "w_one", 0), ("out", "w_out", 1)])
def test_weights_are_int8_within_half_a_step_of_their_channel(layer: str, weights: str, axis: int) -> None:
    net = quantised()
    made_by = by_output(net)
    widening = made_by[made_by[layer].inputs[1]]
    numbers, scales = (net.constants[name] for name in widening.inputs[:2])
    assert widening.attributes["axis"] == axis
    assert numbers.dtype == np.int8
    assert numbers.min() >= -127
    assert scales.shape == (numbers.shape[axis],)
    steps = scales.reshape([-1 if place == axis else 1 for place in range(numbers.ndim)])
    assert np.all(np.abs(numbers * steps - network().constants[weights]) <= 0.5001 * steps)
    assert "b_one" in made_by["map"].inputs  # the bias stays in floating point


def test_a_channel_of_zeros_stays_zero() -> None:
    net = network()
    weights = net.constants["w_one"].copy()
    weights[2] = 0
    net.constants["w_one"] = weights
    quantise.quantise(net, ranges())
    assert not net.constants["w_one/int8"][2].any()
    assert np.isfinite(net.constants["w_one/scales"]).all()


def test_a_layer_that_is_left_keeps_its_weights_and_reads_what_there_is() -> None:
    net = quantised(ranges(left={"update": "for the test"}))
    made_by = by_output(net)
    assert made_by["update"].inputs == ["joined", "w_join"]
    assert made_by["joined"].inputs == ["left", "right"]
    assert net.constants["w_join"].dtype == np.float32


def test_the_same_network_gives_the_same_bytes() -> None:
    assert onnx_file.write(quantised()) == onnx_file.write(quantised())
    other = onnx_file.write(quantised(ranges(LIMITS | {"sum": 5.0})))
    assert other != onnx_file.write(quantised())


@pytest.mark.parametrize(
    ("by", "told"),
    [
        (ranges({"picture": 1.0, "one": 2.0, "left": 3.0}), "sum"),
        (ranges(LIMITS | {"stranger": 1.0}), "stranger"),
        (ranges(left={"stranger": "why not"}), "stranger"),
        (ranges(LIMITS | {"one": 0.0}), "one: 0.0"),
        (ranges(LIMITS | {"one": float("nan")}), "one: nan"),
    ],
)
def test_ranges_that_do_not_fit_are_refused(by: Ranges, told: str) -> None:
    with pytest.raises(ModelError) as caught:
        quantised(by)
    assert caught.value.saw is not None
    assert told in caught.value.saw


def test_weights_that_are_not_numbers_are_refused() -> None:
    net = network()
    net.constants["w_join"] = np.full((4, 4, 1, 1), np.nan, np.float32)
    with pytest.raises(ModelError) as caught:
        quantise.quantise(net, ranges())
    assert caught.value.saw == "the tensor w_join"


def test_a_layer_that_may_mean_something_else_is_refused() -> None:
    net = network()
    net.nodes.insert(1, Node("Squeeze", ["map"], ["one"], {"axes": (2,)}))
    with pytest.raises(ModelError) as caught:
        quantise.quantise(net, ranges())
    assert caught.value.saw == "Squeeze"


def test_bytes_that_are_no_network_are_refused() -> None:
    with pytest.raises(ModelError, match="sface"):
        quantise.quantised(b"\xff\xff\xff", "sface")
    with pytest.raises(ModelError, match="no table of ranges"):
        quantise.quantised(b"", "nobody")


def models() -> Iterator[tuple[Manifest, ModelFile]]:
    for known in (manifest.load(name) for name in manifest.names()):
        for file in known.files:
            if file.int8 is not None:
                yield known, file


@pytest.mark.parametrize(("known", "file"), [pytest.param(*one, id=one[1].name) for one in models()])
def test_the_twin_of_a_model_is_the_one_in_its_manifest(known: Manifest, file: ModelFile) -> None:
    if not store.is_there(file, store.DEFAULT_MODELS):
        pytest.skip(f"{file.name} is not there: run `python -m checkpoints.fetch {known.name}`")
    assert file.int8 is not None
    raw = (store.DEFAULT_MODELS / file.name).read_bytes()
    twin = quantise.quantised(raw, file.int8.ranges)
    assert hashlib.sha256(twin).hexdigest() == file.int8.sha256
    net = onnx_file.read(twin)
    layers = [node for node in net.nodes if node.op in ("Conv", "Gemm", "MatMul")]
    made_by = by_output(net)
    left = activation_ranges.load(file.int8.ranges).left
    in_int8 = [node for node in layers if made_by.get(node.inputs[1], node).op == "DequantizeLinear"]
    assert len(layers) - len(in_int8) == len(left)
    assert "BatchNormalization" not in {node.op for node in net.nodes}
    if len(raw) > 1_000_000:  # in smaller ones the names weigh as much as the numbers
        assert len(raw) > 3.5 * len(twin)
