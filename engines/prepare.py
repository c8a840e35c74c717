"""The model file rewritten for the runtimes: all of them get the same network, which takes a picture's bytes.

Normalisation, order of colours and layout become the first nodes of the network, outputs that nobody asked for are
cut off, and a softmax over (no, yes) becomes log odds. Where a file that rounds itself is to run in another precision
than int8, the rounding goes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from checkpoints import onnx_file
from checkpoints.errors import ModelError
from checkpoints.onnx_file import Array, Network, Node, Value
from engines.colours import exchange_colours
from engines.spec import EngineSpec
from engines.uint8_rewrite import widened

# The input of every prepared network: uint8, (N, H, W·3). Runtimes that see the three colours as a dimension of their
# own move the transposition before the conversion and shuffle bytes, a tenth of P-Net's time, instead of choosing a
# memory layout. In memory it is the same as (N, H, W, 3).
PIXELS = "facewire_pixels"

_FLOAT = 1  # ONNX's number for fp32


def prepared(spec: EngineSpec) -> bytes:
    """The prepared network as an ONNX file; ModelError for a file that is not what `spec` says."""
    return onnx_file.write(prepared_network(spec))


def prepared_network(spec: EngineSpec, *, any_shape: bool = False) -> Network:
    """`any_shape` leaves batch, height and width open, for a runtime that is told the range of them."""
    network = _read(spec)
    _check_numbers(network, spec)
    _check_input(network, spec)
    if spec.pairs and spec.precision != "int8":
        network = widened(network)
    outputs = [_output(network, name, spec) for name in spec.outputs]
    batch = "N" if any_shape else spec.batch
    blue_first = spec.colour == "BGR" or exchange_colours(network, spec.input)
    nodes = _picture_nodes(spec, blue_first, network.constants) + network.nodes
    nodes = _needed(nodes, {value.name for value in outputs})
    used = {name for node in nodes for name in node.inputs}
    return Network(
        nodes=nodes,
        constants={name: array for name, array in network.constants.items() if name in used},
        inputs=[Value(PIXELS, ("N", "H", "W3") if any_shape else pixels_shape(spec), np.dtype("u1"))],
        outputs=[Value(value.name, (batch, *value.shape[1:]), value.dtype) for value in outputs],
        opset=network.opset,
        ir_version=network.ir_version,
    )


def pixels_shape(spec: EngineSpec) -> tuple[int, int, int]:
    width, height = spec.size_wh
    return spec.batch, height, width * 3


def tensor_names(spec: EngineSpec) -> tuple[str, ...]:
    """What the outputs are called in the prepared network."""
    return tuple(_odds_of(name) if name in spec.log_odds else name for name in spec.outputs)


def check_outputs(spec: EngineSpec, shapes: Sequence[tuple[int, ...]]) -> None:
    """A network that was made for a single picture may take a batch and give nonsense: one row for all of them."""
    for name, shape in zip(spec.outputs, shapes, strict=True):
        if spec.batch > 1 and (not shape or shape[0] != spec.batch):
            raise _refused(spec, f"{name} has shape {shape} for a batch of {spec.batch}")


def _read(spec: EngineSpec) -> Network:
    try:
        raw = spec.model.read_bytes()
    except OSError as error:
        raise ModelError(
            f"The model file {spec.model} cannot be read.", saw=str(error), fix="Is it there, and may you read it?"
        ) from error
    found = hashlib.sha256(raw).hexdigest()
    if found != spec.sha256:
        raise ModelError(
            f"The file of {spec.name} is not the one that its manifest describes.",
            saw=f"{spec.model} with sha256 {found}",
            fix=f"The manifest wants sha256 {spec.sha256}: fetch the model again, or correct the manifest.",
        )
    try:
        return onnx_file.read(raw)
    except ValueError as error:  # bytes that are no message, no text or no tensor
        raise _refused(spec, f"{spec.model} cannot be read as an ONNX file: {error}") from error


def _refused(spec: EngineSpec, saw: str) -> ModelError:
    return ModelError(
        f"No engine can be made of {spec.name}.",
        saw=saw,
        fix="The model must be a whole ONNX file, as its manifest says.",
    )


def _check_numbers(network: Network, spec: EngineSpec) -> None:
    for name, array in _arrays(network):
        if array.dtype.kind == "f" and np.isnan(array).any():
            bad = int(np.isnan(array).sum())
            raise _refused(
                spec, f"{spec.model}: {bad} of the {array.size} numbers in the tensor {name} are not numbers (NaN)"
            )


def _arrays(network: Network) -> Iterable[tuple[str, Array]]:
    yield from network.constants.items()
    for node in network.nodes:
        for value in node.attributes.values():
            if isinstance(value, np.ndarray):
                yield node.outputs[0], value


def _check_input(network: Network, spec: EngineSpec) -> None:
    """Exactly one input, the one of the manifest, and of a shape that the layout can mean."""
    inputs = [value for value in network.inputs if value.name not in network.constants]
    if [value.name for value in inputs] != [spec.input]:
        names = ", ".join(value.name for value in inputs) or "none"
        raise _refused(spec, f"the inputs of {spec.model} are: {names}; the manifest says {spec.input}")
    count, height, width, channels = spec.input_shape
    wanted = (count, height, width, channels) if spec.layout == "NHWC" else (count, channels, height, width)
    shape = inputs[0].shape
    given = [
        (has, wants) for has, wants in zip(shape[1:], wanted[1:], strict=False) if isinstance(has, int) and has > 0
    ]
    if inputs[0].dtype != np.dtype("<f4") or len(shape) != 4 or any(has != wants for has, wants in given):
        raise _refused(spec, f"{spec.input} is {inputs[0].dtype} {shape}; float32 {wanted} ({spec.layout}) is needed")


def _picture_nodes(spec: EngineSpec, blue_first: bool, constants: dict[str, Array]) -> list[Node]:
    """From bytes to the model's own input; their constants are added. `blue_first`: the network takes it so."""
    reverse = blue_first and spec.colour == "RGB"
    mean, scale = (spec.mean[::-1], spec.scale[::-1]) if reverse else (spec.mean, spec.scale)
    nodes: list[Node] = []
    last = PIXELS

    def then(op: str, constant: Array | None = None, **attributes: int | tuple[int, ...]) -> None:
        nonlocal last
        name = f"facewire_input_{len(nodes)}"
        inputs = [last]
        if constant is not None:
            constants[f"{name}_constant"] = constant
            inputs.append(f"{name}_constant")
        nodes.append(Node(op, inputs, [name], dict(attributes)))
        last = name

    then("Cast", to=_FLOAT)
    then("Reshape", np.array([0, 0, -1, 3], np.int64))
    if not blue_first:
        then("Gather", np.array([2, 1, 0], np.int64), axis=3)
    if any(mean):
        then("Sub", _for_each_colour(mean))
    if any(factor != 1 for factor in scale):
        then("Mul", _for_each_colour(scale))
    if spec.layout == "NCHW":
        then("Transpose", perm=(0, 3, 1, 2))
    nodes[-1].outputs[0] = spec.input
    return nodes


def _for_each_colour(numbers: tuple[float, float, float]) -> NDArray[np.float32]:
    """A single number where all are the same: runtimes then fold it into the first convolution."""
    return np.array(numbers if len(set(numbers)) > 1 else numbers[0], np.float32)


def _output(network: Network, name: str, spec: EngineSpec) -> Value:
    """The wanted output; with log odds the nodes for them are added to the network."""
    known = {value.name: value for value in network.outputs}
    if name not in known:
        raise _refused(spec, f"the outputs of {spec.model} are {', '.join(known)}; {name} is not among them")
    value = known[name]
    if name not in spec.log_odds:
        return value
    made_by = next((node for node in network.nodes if name in node.outputs), None)
    axis = made_by.attributes.get("axis", 1 if network.opset < 13 else -1) if made_by else None
    if made_by is None or made_by.op != "Softmax" or axis not in (-1, len(value.shape) - 1):
        raise _refused(spec, f"{name} is not a softmax over the last dimension, so it has no log odds")
    # log(yes / no) of a softmax is the difference of what goes into it.
    weights, odds = f"{name}_difference", _odds_of(name)
    network.constants[weights] = np.array([[-1], [1]], np.float32)
    network.nodes.append(Node("MatMul", [made_by.inputs[0], weights], [odds]))
    return Value(odds, (*value.shape[:-1], 1), value.dtype)


def _odds_of(name: str) -> str:
    return f"{name}_log_odds"


def _needed(nodes: list[Node], wanted: set[str]) -> list[Node]:
    """Those that the wanted tensors depend on, in their order."""
    kept = []
    for node in reversed(nodes):
        if wanted & set(node.outputs):
            wanted = wanted | set(node.inputs)
            kept.append(node)
    return kept[::-1]
