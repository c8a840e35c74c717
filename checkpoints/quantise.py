"""From an fp32 network to one whose layers compute in int8, written down as TensorRT and OpenVINO both want it.

Symmetric, zero point 0: weights with one scale for each output channel, stored as int8; activations with one scale for
each tensor, from a committed table of ranges. What a layer reads was rounded to int8 (QuantizeLinear) and widened again
(DequantizeLinear); a runtime takes such pairs for the order to run the layer in int8.

Where the pairs stand was measured: before a MaxPool and not again behind it, since both runtimes then pool the int8
numbers themselves; on what is carried past a layer to be added to its output, but not on that output, which stays
in the layer's own arithmetic. The arithmetic here is elementwise, so every machine makes the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from checkpoints import activation_ranges, onnx_file
from checkpoints.activation_ranges import Ranges
from checkpoints.errors import ModelError
from checkpoints.fold import drop_unused_constants, fold, output_axis
from checkpoints.onnx_file import Array, Network, Node
from checkpoints.protobuf import ProtobufError

OPSET = 17
_IR_VERSION = 8
_LARGEST = 127  # a symmetric range has no -128
_LAYERS = ("Conv", "Gemm", "MatMul")
# What takes numbers as they are from one place to another: rounded before is rounded behind.
_MOVES = ("Flatten", "MaxPool", "Reshape", "Transpose")
_ZERO = "zero"
# What means the same in the files that come (opset 12 to 21) as in those that are written (opset 17).
_SAME_IN_ALL = (
    *("Conv", "Gemm", "MatMul", "Add", "Mul", "Sub", "PRelu", "Relu", "LeakyRelu", "Sigmoid", "Softmax"),
    *("MaxPool", "AveragePool", "GlobalAveragePool", "Concat", "Flatten", "Pad", "Reshape", "Resize", "Transpose"),
)


def quantised(network_bytes: bytes, ranges_name: str) -> bytes:
    """The INT8 twin of an fp32 file, by the table `checkpoints/ranges/RANGES_NAME.json`."""
    ranges = activation_ranges.load(ranges_name)
    try:
        network = onnx_file.read(network_bytes)
        quantise(network, ranges)
        return onnx_file.write(network)
    except ProtobufError as error:
        raise ModelError(f"The network cannot be quantised by the ranges {ranges_name}.", saw=str(error)) from error


def quantise(network: Network, ranges: Ranges) -> None:
    fold(network)
    _check(network, ranges)
    layers = int8_layers(network, ranges.left)
    leaders = activations(network, layers)
    if missing := sorted(set(leaders.values()) - set(ranges.limits)):
        raise ModelError("Ranges of tensors are missing, so they cannot be quantised.", saw=", ".join(missing))
    _round_activations(network, {name: ranges.limits[leader] for name, leader in leaders.items()})
    _round_weights(network, layers)
    drop_unused_constants(network)
    network.opset, network.ir_version = OPSET, _IR_VERSION


def int8_layers(network: Network, left: Iterable[str]) -> list[Node]:
    """The layers that are to compute in int8: all with weights, but those whose outputs are named in `left`."""
    kept = set(left)
    return [
        node
        for node in network.nodes
        if node.op in _LAYERS and node.inputs[1] in network.constants and kept.isdisjoint(node.outputs)
    ]


def activations(network: Network, layers: Iterable[Node]) -> dict[str, str]:
    """The tensors to be rounded so that these layers read int8 → the tensor under whose name their range is listed.

    Tensors that are joined by a Concat share one range, or the joined tensor would not have one scale.
    """
    made_by = {name: node for node in network.nodes for name in node.outputs}
    leaders: dict[str, str] = {}
    for layer in layers:
        sources = _sources(layer.inputs[0], made_by)
        known = [leaders[name] for name in sources if name in leaders]
        leader = known[0] if known else sources[0]
        for name, old in list(leaders.items()):
            leaders[name] = leader if old in known else old
        leaders |= dict.fromkeys(sources, leader)
    return leaders


def _sources(name: str, made_by: dict[str, Node]) -> list[str]:
    """Where the numbers of a tensor are computed: the tensor itself, unless they only were moved to it."""
    node = made_by.get(name)
    if node is not None and node.op in _MOVES:
        return _sources(node.inputs[0], made_by)
    if node is not None and node.op == "Concat":
        return [source for joined in node.inputs for source in _sources(joined, made_by)]
    return [name]


def _check(network: Network, ranges: Ranges) -> None:
    """A table that was made for another network is not half used."""
    if strange := sorted({node.op for node in network.nodes} - set(_SAME_IN_ALL)):
        raise ModelError("The network holds layers that are not quantised here.", saw=", ".join(strange))
    made = {name for node in network.nodes for name in node.outputs} | {value.name for value in network.inputs}
    if unknown := sorted((set(ranges.limits) | set(ranges.left)) - made):
        raise ModelError("The ranges are of another network: it has no such tensors.", saw=", ".join(unknown))
    if wrong := [f"{name}: {limit}" for name, limit in ranges.limits.items() if not 0 < limit < np.inf]:
        raise ModelError("A range must be a number above 0.", saw=", ".join(wrong))
    for name, array in network.constants.items():
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise ModelError("The network holds weights that are not numbers.", saw=f"the tensor {name}")


def _round_activations(network: Network, limits: dict[str, float]) -> None:
    """Every reader of a rounded tensor reads the rounded numbers, so that the full ones need not be kept."""
    network.constants[_ZERO] = np.array(0, np.int8)
    kept: list[Node] = []
    for name in (value.name for value in network.inputs):
        if name in limits:
            kept += _pair(network, name, limits[name])
    for node in network.nodes:
        node.inputs = [_rounded(name) if name in limits else name for name in node.inputs]
        kept.append(node)
        for name in node.outputs:
            if name in limits:
                kept += _pair(network, name, limits[name])
    network.nodes = kept


def _pair(network: Network, name: str, limit: float) -> list[Node]:
    scale = f"{name}/scale"
    network.constants[scale] = np.array(limit / _LARGEST, np.float32)
    return [
        Node("QuantizeLinear", [name, scale, _ZERO], [f"{name}/int8"]),
        Node("DequantizeLinear", [f"{name}/int8", scale, _ZERO], [_rounded(name)]),
    ]


def _rounded(name: str) -> str:
    return f"{name}/rounded"


def _round_weights(network: Network, layers: Iterable[Node]) -> None:
    """The layers are Conv, Gemm and MatMul; two that share weights share the rounded ones, too."""
    widened: dict[tuple[str, int], Node] = {}
    for layer in layers:
        key = layer.inputs[1], output_axis(layer)
        if key not in widened:
            widened[key] = _widening(network.constants, *key)
        layer.inputs[1] = widened[key].outputs[0]
    network.nodes = [*widened.values(), *network.nodes]


def _widening(constants: dict[str, Array], name: str, axis: int) -> Node:
    weights = constants[name].astype(np.float64)
    others = tuple(other for other in range(weights.ndim) if other != axis)
    largest = np.abs(weights).max(axis=others, keepdims=True)
    # A channel of nothing but zeros may have any scale but 0.
    scales = np.where(largest > 0, largest / _LARGEST, 1).astype(np.float32)
    numbers = np.clip(np.rint(weights / scales), -_LARGEST, _LARGEST)
    names = [f"{name}/int8", f"{name}/scales", f"{name}/zeros"]
    arrays: list[Array] = [numbers.astype(np.int8), scales.ravel(), np.zeros(scales.size, np.int8)]
    constants.update(zip(names, arrays, strict=True))
    return Node("DequantizeLinear", names, [_rounded(name)], {"axis": axis})
