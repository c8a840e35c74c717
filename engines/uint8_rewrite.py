"""INT8 networks as ONNX Runtime wants them: bytes from 0 to 255 instead of −128 to 127, with the same scales.

Its fast kernels multiply uint8 activations with int8 weights. With int8 activations and zero point 0, which TensorRT
and OpenVINO want, it is several times slower than in fp32. Every value moves by 128 and the zero point with it, so
what is computed stays the same.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from checkpoints.onnx_file import Array, Network, Node

_SHIFT = 128


def is_quantised(network: Network) -> bool:
    return any(node.op == "QuantizeLinear" for node in network.nodes)


def uint8_activations(network: Network) -> Network:
    """The same network with uint8 activations; weights, which are constants, stay int8."""
    constants = dict(network.constants)
    moved: set[str] = set()
    nodes = []
    for node in network.nodes:
        from_activations = node.op == "QuantizeLinear" and node.inputs[0] not in constants
        if from_activations or (node.op == "DequantizeLinear" and node.inputs[0] in moved):
            zero_point = _shifted_zero_point(node, constants)
            if zero_point is not None:
                node = Node(node.op, [*node.inputs[:2], zero_point], node.outputs, node.attributes)
                moved.update(node.outputs)
        nodes.append(node)
    used = {name for node in nodes for name in node.inputs}
    return replace(network, nodes=nodes, constants={name: constants[name] for name in constants if name in used})


def _shifted_zero_point(node: Node, constants: dict[str, Array]) -> str | None:
    """The name of the zero point moved by 128, None for a node that does not quantise to int8.

    A node without a zero point quantises to uint8 already.
    """
    name = node.inputs[2] if len(node.inputs) > 2 else ""
    zero_point = constants.get(name)
    if zero_point is None or zero_point.dtype != np.int8:
        return None
    shifted = f"{name}_uint8"
    constants[shifted] = (zero_point.astype(np.int16) + _SHIFT).astype(np.uint8)
    return shifted
