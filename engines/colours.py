"""The order of the three colours, changed in the weights of the first layers instead of in every picture.

A runtime may do so by itself, but not where the picture is rounded to int8 before: a quarter of P-Net's time.
"""

from __future__ import annotations

import numpy as np

from checkpoints.onnx_file import Array, Network, Node

# What treats all three colours alike, if its constants do.
_ALIKE = ("Add", "Div", "Mul", "Sub", "QuantizeLinear", "DequantizeLinear", "Transpose")


def exchange_colours(network: Network, picture: str) -> bool:
    """Let the network take its picture's colours in reverse; False, and no change, where the weights cannot do that."""
    first: list[Node] = []
    if not _first_layers(network, picture, first):
        return False
    made_by = {name: node for node in network.nodes for name in node.outputs}
    names = [_constant_behind(layer.inputs[1], made_by, network.constants) for layer in first]
    weights = {name: network.constants[name] for name in names if name is not None}
    readers = sum(name in weights for node in network.nodes for name in node.inputs)
    if None in names or len(weights) != len(first) or readers != len(first):
        return False
    if any(array.ndim != 4 or array.shape[1] != 3 for array in weights.values()):
        return False
    network.constants |= {name: np.ascontiguousarray(array[:, ::-1]) for name, array in weights.items()}
    return True


def _first_layers(network: Network, tensor: str, found: list[Node]) -> bool:
    """The convolutions that a picture comes to; False if it also comes to something else."""
    if tensor in {value.name for value in network.outputs}:
        return False
    for node in (node for node in network.nodes if tensor in node.inputs):
        if node.op == "Conv" and node.inputs[0] == tensor and node.attributes.get("group", 1) == 1:
            found.append(node)
            continue
        others = [network.constants.get(name) for name in node.inputs if name != tensor]
        alike = all(other is not None and other.size == 1 for other in others)
        if node.op not in _ALIKE or not alike or not _first_layers(network, node.outputs[0], found):
            return False
    return bool(found)


def _constant_behind(name: str, made_by: dict[str, Node], constants: dict[str, Array]) -> str | None:
    """The weights themselves, or the int8 numbers that they are widened from; their scales belong to other axes."""
    node = made_by.get(name)
    if node is not None and node.op == "DequantizeLinear" and node.attributes.get("axis", 1) == 0:
        name = node.inputs[0]
    return name if name in constants else None
