"""A network for inference alone: what training left in it is folded into the weights, its meaning stays the same.

All arithmetic is elementwise, in double precision, and rounded once: every machine makes the same bytes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from checkpoints.onnx_file import Array, Network, Node
from checkpoints.protobuf import ProtobufError

_COMPUTES = ("Conv", "Gemm", "MatMul")


def fold(network: Network) -> None:
    """Batch normalisation becomes part of the layer before it; what does nothing at inference goes."""
    _drop_idle_nodes(network)
    kept: list[Node] = []
    made_by: dict[str, Node] = {}
    readers = _readers(network)
    for node in network.nodes:
        before = made_by.get(node.inputs[0])
        if node.op == "BatchNormalization":
            factor, shift = _normalisation(node, network.constants)
            if before is not None and before.op in ("Conv", "Gemm") and readers[node.inputs[0]] == 1:
                _into_layer(before, factor, shift, network.constants)
                before.outputs[0] = node.outputs[0]
                made_by[node.outputs[0]] = before
                continue
            for part in _as_affine(node, factor, shift, network.constants):
                kept.append(part)
                made_by[part.outputs[0]] = part
            continue
        kept.append(node)
        made_by |= dict.fromkeys(node.outputs, node)
    network.nodes = kept
    drop_unused_constants(network)


def drop_unused_constants(network: Network) -> None:
    used = {name for node in network.nodes for name in node.inputs}
    network.constants = {name: network.constants[name] for name in sorted(used & network.constants.keys())}


def _drop_idle_nodes(network: Network) -> None:
    kept, stands_for = [], dict[str, str]()
    for node in network.nodes:
        node.inputs = [stands_for.get(name, name) for name in node.inputs]
        if node.op == "Constant":
            value = node.attributes.get("value")
            if not isinstance(value, np.ndarray):
                raise ProtobufError(f"the constant {node.outputs[0]} is not given as a tensor")
            network.constants[node.outputs[0]] = value
        elif node.op in ("Dropout", "Identity") and node.outputs[0] not in {value.name for value in network.outputs}:
            stands_for[node.outputs[0]] = node.inputs[0]
        else:
            kept.append(node)
    network.nodes = kept


def _readers(network: Network) -> dict[str, int]:
    """How often each tensor is read, by a node or by who runs the network."""
    counts: dict[str, int] = {}
    for name in [name for node in network.nodes for name in node.inputs] + [value.name for value in network.outputs]:
        counts[name] = counts.get(name, 0) + 1
    return counts


def _normalisation(node: Node, constants: dict[str, Array]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What each channel is multiplied by and what is added to it then."""
    gamma, beta, mean, variance = (constants[name].astype(np.float64) for name in node.inputs[1:5])
    epsilon = node.attributes.get("epsilon", 1e-5)
    if not isinstance(epsilon, float):
        raise ProtobufError(f"{node.outputs[0]}: epsilon {epsilon!r} must be a number")
    factor = gamma / np.sqrt(variance + epsilon)
    return factor, beta - mean * factor


def _into_layer(
    layer: Node, factor: NDArray[np.float64], shift: NDArray[np.float64], constants: dict[str, Array]
) -> None:
    """The layer gets weights of its own, named after its output: others may share the old ones."""
    weights = constants[layer.inputs[1]].astype(np.float64)
    along = [1] * weights.ndim
    along[output_axis(layer)] = -1
    bias = constants[layer.inputs[2]].astype(np.float64) if len(layer.inputs) > 2 else np.zeros_like(shift)
    names = [f"{layer.outputs[0]}/weights", f"{layer.outputs[0]}/bias"]
    constants[names[0]] = (weights * factor.reshape(along)).astype(np.float32)
    constants[names[1]] = (bias * factor + shift).astype(np.float32)
    layer.inputs[1:] = names


def output_axis(layer: Node) -> int:
    """The axis of the weights that counts what the layer puts out."""
    return 0 if layer.op == "Conv" or layer.attributes.get("transB") else 1


def _as_affine(
    node: Node, factor: NDArray[np.float64], shift: NDArray[np.float64], constants: dict[str, Array]
) -> list[Node]:
    """For channels of maps (N, C, H, W), where there is no layer that could take it."""
    source, target = node.inputs[0], node.outputs[0]
    names = [f"{target}/factor", f"{target}/shift"]
    for name, values in zip(names, (factor, shift), strict=True):
        constants[name] = values.astype(np.float32).reshape(-1, 1, 1)
    scaled = f"{target}/scaled"
    return [Node("Mul", [source, names[0]], [scaled]), Node("Add", [scaled, names[1]], [target])]
