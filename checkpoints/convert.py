"""From the file that a publisher ships to the file that the engines run; the meaning of the network stays the same.

unpack           weights that are stored as blocks of int8 become plain fp32 constants, and the network's only input
                 is the picture. OpenVINO and OpenCV refuse such files as they are shipped.
unpack_any_size  the same, and the picture's height and width are left open.
upright          MTCNN's nets were trained on pictures with x and y exchanged; the weights are turned so that they
                 take ordinary ones.
tensorflow       FaceNet's TensorFlow graph becomes an ONNX network that takes any number of pictures.
dlib             dlib's ResNet-29, in dlib's own format, becomes an ONNX network.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from checkpoints import dlib_net, onnx_file, tensorflow_net
from checkpoints.dlib_dat import DlibError
from checkpoints.errors import ModelError
from checkpoints.onnx_file import Array, Network, Node, Value
from checkpoints.protobuf import ProtobufError


def convert(conversion: str, raw: bytes, name: str) -> bytes:
    """Convert one file; `name` is what an error calls it."""
    if conversion not in CONVERSIONS:
        raise ModelError(f"{name} asks for a conversion that does not exist.", saw=conversion, fix=_KNOWN)
    try:
        return CONVERSIONS[conversion](raw)
    except (ProtobufError, DlibError) as error:
        raise ModelError(f"{name} cannot be converted ({conversion}).", saw=str(error)) from error


def unpack(network: Network) -> None:
    """Fold what is computed from constants alone, drop constants that nobody uses, let pictures come in batches."""
    constants = network.constants
    kept = []
    for node in network.nodes:
        if node.op in _FOLDS and all(name in constants for name in node.inputs if name):
            constants[node.outputs[0]] = _FOLDS[node.op](node, [constants[name] for name in node.inputs if name])
        else:
            kept.append(node)
    _let_batches_through(kept, constants)
    used = {name for node in kept for name in node.inputs}
    made = {name for node in kept for name in node.outputs}
    network.nodes = kept
    # The shipped files also list weights as inputs, among them some that the folding has made superfluous.
    network.inputs = [_batched(value) for value in network.inputs if value.name in used and value.name not in constants]
    network.outputs = [_batched(value) for value in network.outputs if value.name in made]
    network.constants = {name: constants[name] for name in sorted(used & constants.keys())}


def upright(network: Network) -> None:
    """Exchange the two spatial axes of every kernel, and of the rows of the dense layer behind the last one."""
    constants = network.constants
    channels = 0
    flat: str | None = None
    for node in network.nodes:
        if node.op == "Conv":
            constants[node.inputs[1]] = np.ascontiguousarray(constants[node.inputs[1]].swapaxes(2, 3))
            channels = constants[node.inputs[1]].shape[0]
        elif node.op == "Flatten":
            flat = node.outputs[0]
        elif node.op == "MatMul" and node.inputs[0] == flat:
            constants[node.inputs[1]] = _exchange_rows(constants[node.inputs[1]], channels)


def unpack_any_size(network: Network) -> None:
    """The same for a net that is made of convolutions only: its pictures may have any height and width."""
    unpack(network)
    network.inputs = [Value(v.name, (*v.shape[:2], "H", "W"), v.dtype) for v in network.inputs]
    network.outputs = [
        Value(v.name, (v.shape[0], f"cells_{i}", *v.shape[2:]), v.dtype) for i, v in enumerate(network.outputs)
    ]


def _on_network(change: Callable[[Network], None]) -> Callable[[bytes], bytes]:
    def converted(raw: bytes) -> bytes:
        network = onnx_file.read(raw)
        change(network)
        return onnx_file.write(network)

    return converted


CONVERSIONS: dict[str, Callable[[bytes], bytes]] = {
    "unpack": _on_network(unpack),
    "unpack_any_size": _on_network(unpack_any_size),
    "upright": _on_network(upright),
    "tensorflow": lambda raw: onnx_file.write(tensorflow_net.network(raw)),
    "dlib": lambda raw: onnx_file.write(dlib_net.network(raw)),
}
_KNOWN = f"Known conversions: {', '.join(CONVERSIONS)}."


def _exchange_rows(weights: Array, channels: int) -> Array:
    """(rows·columns·channels, M): the flattened map was indexed by (x, y, channel) and becomes (y, x, channel)."""
    side = round((weights.shape[0] / channels) ** 0.5)
    by_place = weights.reshape(side, side, channels, weights.shape[1])
    return np.ascontiguousarray(by_place.swapaxes(0, 1)).reshape(weights.shape)


def _dequantise(node: Node, inputs: list[Array]) -> Array:
    weight, scale = inputs[0].astype(np.float32), inputs[1].astype(np.float32)
    zero = inputs[2].astype(np.float32) if len(inputs) > 2 else np.zeros_like(scale)
    axis, block = node.attributes.get("axis", 1), node.attributes.get("block_size", 0)
    if not isinstance(axis, int) or not isinstance(block, int):
        raise ProtobufError(f"{node.outputs[0]}: axis {axis!r} and block_size {block!r} must be whole numbers")
    if block:
        scale, zero = (_stretch(values, block, axis, weight.shape[axis]) for values in (scale, zero))
    elif scale.ndim == 1 and weight.ndim > 1:
        along = [1] * weight.ndim
        along[axis] = -1
        scale, zero = scale.reshape(along), zero.reshape(along)
    return (weight - zero) * scale


def _stretch(values: NDArray[np.float32], block: int, axis: int, size: int) -> NDArray[np.float32]:
    """One value for each block becomes one for each weight; the last block may be a short one."""
    return np.repeat(values, block, axis=axis).take(range(size), axis=axis)


def _reshape(_: Node, inputs: list[Array]) -> Array:
    shape = [inputs[0].shape[i] if size == 0 else int(size) for i, size in enumerate(inputs[1])]
    return inputs[0].reshape(shape)


_FOLDS: dict[str, Callable[[Node, list[Array]], Array]] = {"DequantizeLinear": _dequantise, "Reshape": _reshape}


def _let_batches_through(nodes: list[Node], constants: dict[str, Array]) -> None:
    """In a Reshape to (1, -1, …) the 1 is the batch; 0 there means: as it comes."""
    for node in nodes:
        if node.op == "Reshape" and node.inputs[1] in constants:
            shape = constants[node.inputs[1]].copy()
            if len(shape) > 1 and shape[0] == 1 and shape[1] == -1:
                shape[0] = 0
                constants[node.inputs[1]] = shape


def _batched(value: Value) -> Value:
    return Value(value.name, ("N", *value.shape[1:]), value.dtype)
