"""A network that computes in fp32 rewritten to compute in fp16, for runtimes that do exactly what the file says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from checkpoints.onnx_file import Array, Attribute, Network, Node

_FLOAT, _HALF = 1, 10  # ONNX's numbers for the element types
_LARGEST = float(np.finfo(np.float16).max)
_STAYS_FLOAT = {"Resize": (1, 2), "Upsample": (1,)}  # inputs that are fp32 whatever the pictures are


def half(network: Network, begin: str) -> Network:
    """From the tensor `begin` on in fp16; the outputs are fp32 again. Not for quantised networks."""
    halved = f"{begin}_half"
    constants: dict[str, Array] = {}
    nodes: list[Node] = []
    begun = False
    for node in network.nodes:
        if begun:
            nodes.append(_in_half(node, network.constants, constants, {begin: halved}))
            continue
        constants.update((name, network.constants[name]) for name in node.inputs if name in network.constants)
        nodes.append(node)
        if begin in node.outputs:
            nodes.append(Node("Cast", [begin], [halved], {"to": _HALF}))
            begun = True
    names = {value.name: f"{value.name}_half" for value in network.outputs}
    nodes = [replace(node, outputs=[names.get(name, name) for name in node.outputs]) for node in nodes]
    nodes = [replace(node, inputs=[names.get(name, name) for name in node.inputs]) for node in nodes]
    nodes += [Node("Cast", [names[value.name]], [value.name], {"to": _FLOAT}) for value in network.outputs]
    return replace(network, nodes=nodes, constants=constants)


def _in_half(node: Node, given: dict[str, Array], constants: dict[str, Array], renamed: dict[str, str]) -> Node:
    """The node on fp16 tensors; the constants that it takes are added."""
    inputs = [renamed.get(name, name) for name in node.inputs]
    for place, name in enumerate(node.inputs):
        if name not in given:
            continue
        if given[name].dtype == np.float32 and place not in _STAYS_FLOAT.get(node.op, ()):
            inputs[place] = f"{name}_half"
            constants[inputs[place]] = _narrow(given[name])
        else:
            constants[name] = given[name]
    attributes = {name: _narrow_attribute(node.op, name, value) for name, value in node.attributes.items()}
    return Node(node.op, inputs, node.outputs, attributes)


def _narrow_attribute(op: str, name: str, value: Attribute) -> Attribute:
    if op == "Cast" and name == "to" and value == _FLOAT:
        return _HALF
    if isinstance(value, np.ndarray) and value.dtype == np.float32:
        return _narrow(value)
    return value


def _narrow(array: Array) -> Array:
    """What fp16 cannot hold becomes its largest number: such constants are limits, or the drift gate tells."""
    return np.asarray(np.clip(array.astype(np.float32), -_LARGEST, _LARGEST), np.float16)
