"""INT8 networks as ONNX Runtime runs them well: activations as bytes from 0 to 255 instead of −128 to 127.

Its fast layers take uint8 activations and int8 weights, and a ReLU melts into the rounding behind it only where zero
is the least number. With int8 activations and zero point 0, which TensorRT and OpenVINO want, no layer runs in int8 and
all the rounding is done besides: FaceNet takes 40 ms instead of 15 so, and 16 in fp32.

Where something else than a ReLU stands before the rounding, such as the PReLU of MTCNN and SFace, there is no fast
layer at all. Such a network gets its weights widened and computes in fp32.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from checkpoints.onnx_file import Array, Network, Node

_SHIFT = 128
_LAYERS = ("Conv", "Gemm", "MatMul")


def is_quantised(network: Network) -> bool:
    return any(node.op == "QuantizeLinear" for node in network.nodes)


def for_onnx_runtime(network: Network, *, cuts_off: bool = False) -> Network:
    """The quantised network in the form that is faster there; `cuts_off` as below."""
    return uint8_activations(network, cuts_off=cuts_off) if _has_fast_layers(network) else widened(network)


def uint8_activations(network: Network, *, cuts_off: bool = False) -> Network:
    """The same scales and, but for what was cut off at 127, the same numbers; weights, which are constants, stay int8.

    Behind a ReLU zero stays 0, and what int8 would cut off at 127 is now cut off at 255. Elsewhere everything moves by
    128. With `cuts_off` it does so everywhere: a network that has learnt to round has learnt with what is cut off. That
    takes 2 to 5 per cent longer.
    """
    constants = dict(network.constants)
    made_by = _made_by(network.nodes)
    zero_points: dict[str, str] = {}  # quantised tensor → its new zero point
    nodes = []
    for node in network.nodes:
        if node.op == "QuantizeLinear" and _is_int8_activation(node, constants):
            source = made_by.get(node.inputs[0])
            is_positive = not cuts_off and source is not None and source.op == "Relu"
            zero_points[node.outputs[0]] = _moved(node.inputs[2], 0 if is_positive else _SHIFT, constants)
        key = node.outputs[0] if node.op == "QuantizeLinear" else node.inputs[0] if node.inputs else ""
        if node.op in ("QuantizeLinear", "DequantizeLinear") and key in zero_points:
            node = Node(node.op, [*node.inputs[:2], zero_points[key]], node.outputs, node.attributes)
        nodes.append(node)
    return _with(network, nodes, constants)


def widened(network: Network) -> Network:
    """In fp32: rounded weights as they are, activations not rounded."""
    outputs = {value.name for value in network.outputs}
    constants = dict(network.constants)
    stands_for: dict[str, str] = {}
    nodes = []
    for node in network.nodes:
        inputs = [stands_for.get(name, name) for name in node.inputs]
        if node.op == "DequantizeLinear" and node.inputs[0] in constants:
            constants[node.outputs[0]] = _widened_constant(node, constants)
        elif node.op in ("QuantizeLinear", "DequantizeLinear") and node.inputs[0] not in constants:
            stands_for[node.outputs[0]] = inputs[0]
            if node.outputs[0] in outputs:
                nodes.append(Node("Identity", [inputs[0]], node.outputs))
        else:
            nodes.append(Node(node.op, inputs, node.outputs, node.attributes))
    return _with(network, nodes, constants)


def _has_fast_layers(network: Network) -> bool:
    """Whether most layers are followed by a rounding, with nothing or a ReLU in between."""
    readers: dict[str, list[Node]] = {}
    for node in network.nodes:
        for name in node.inputs:
            readers.setdefault(name, []).append(node)
    widenings = {node.outputs[0] for node in network.nodes if node.op == "DequantizeLinear"}
    layers = [node for node in network.nodes if node.op in _LAYERS and node.inputs[1] in widenings]
    fast = 0
    for layer in layers:
        after = readers.get(layer.outputs[0], [])
        if [node.op for node in after] == ["Relu"]:
            after = readers.get(after[0].outputs[0], [])
        fast += bool(after) and all(node.op == "QuantizeLinear" for node in after)
    return 2 * fast > len(layers)


def _is_int8_activation(node: Node, constants: dict[str, Array]) -> bool:
    """Without a zero point it would be uint8 already."""
    zero_point = constants.get(node.inputs[2]) if len(node.inputs) > 2 else None
    return node.inputs[0] not in constants and zero_point is not None and zero_point.dtype == np.int8


def _moved(name: str, by: int, constants: dict[str, Array]) -> str:
    """The name of the zero point moved by so much."""
    moved = f"{name}_plus_{by}"
    constants[moved] = (constants[name].astype(np.int16) + by).clip(0, 255).astype(np.uint8)
    return moved


def _widened_constant(node: Node, constants: dict[str, Array]) -> Array:
    numbers, scale = (constants[name].astype(np.float32) for name in node.inputs[:2])
    zero = constants[node.inputs[2]].astype(np.float32) if len(node.inputs) > 2 else np.zeros_like(scale)
    axis = node.attributes.get("axis", 1)
    assert isinstance(axis, int)
    if scale.ndim == 1 and numbers.ndim:
        along = [-1 if place == axis % numbers.ndim else 1 for place in range(numbers.ndim)]
        scale, zero = scale.reshape(along), zero.reshape(along)
    return (numbers - zero) * scale


def _made_by(nodes: Iterable[Node]) -> dict[str, Node]:
    return {name: node for node in nodes for name in node.outputs}


def _with(network: Network, nodes: list[Node], constants: dict[str, Array]) -> Network:
    used = {name for node in nodes for name in node.inputs}
    return replace(network, nodes=nodes, constants={name: constants[name] for name in constants if name in used})
