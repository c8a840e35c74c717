"""Just enough of the ONNX format to take a network apart and put it together again, without the `onnx` package.

What a conversion has no use for (documentation, shapes of inner tensors, metadata) is left out on writing. What would
change the meaning of the network and is not understood here (subgraphs, sparse or external tensors) is refused.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from checkpoints import protobuf
from checkpoints.protobuf import Field, ProtobufError

Array = NDArray[np.generic]
Attribute = int | float | str | tuple[int, ...] | tuple[float, ...] | Array

# ONNX's numbers for the element types, and the field of a tensor that holds the elements when they do not come raw.
_DTYPES: dict[int, tuple[np.dtype[np.generic], int]] = {
    1: (np.dtype("<f4"), 4),
    2: (np.dtype("u1"), 5),
    3: (np.dtype("i1"), 5),
    6: (np.dtype("<i4"), 5),
    7: (np.dtype("<i8"), 7),
    10: (np.dtype("<f2"), 5),
    11: (np.dtype("<f8"), 10),
}
_CODES = {dtype: code for code, (dtype, _) in _DTYPES.items()}
_FLOAT, _INT, _STRING, _TENSOR, _FLOATS, _INTS = 1, 2, 3, 4, 6, 7


@dataclass(slots=True)
class Value:
    """An input or output of the network. A dimension with a name instead of a number may have any size."""

    name: str
    shape: tuple[int | str, ...]
    dtype: np.dtype[np.generic] = field(default_factory=lambda: np.dtype("<f4"))


@dataclass(slots=True)
class Node:
    op: str
    inputs: list[str]
    outputs: list[str]
    attributes: dict[str, Attribute] = field(default_factory=dict)


@dataclass(slots=True)
class Network:
    """constants  the arrays that are part of the network (ONNX calls them initialisers), by name"""

    nodes: list[Node]
    constants: dict[str, Array]
    inputs: list[Value]
    outputs: list[Value]
    opset: int
    ir_version: int = 7


def read(raw: bytes) -> Network:
    try:
        return _read(raw)
    except ProtobufError:
        raise
    except (ValueError, KeyError, IndexError, OverflowError) as error:
        raise ProtobufError(f"the file is damaged: {error}") from error


def _read(raw: bytes) -> Network:
    model = protobuf.read(raw)
    graphs = [f.data for f in model if f.number == 7]
    if len(graphs) != 1:
        raise ProtobufError(f"an ONNX file holds one graph; here are {len(graphs)}")
    opset, ir_version = 0, 0
    for part in model:
        if part.number == 1:
            ir_version = part.integer
        elif part.number == 8:
            opset = _read_opset(part.data)
    graph = protobuf.read(graphs[0])
    if any(f.number == 15 for f in graph):
        raise ProtobufError("the file holds sparse tensors")
    return Network(
        nodes=[_read_node(f.data) for f in graph if f.number == 1],
        constants=dict(_read_tensor(f.data) for f in graph if f.number == 5),
        inputs=[_read_value(f.data) for f in graph if f.number == 11],
        outputs=[_read_value(f.data) for f in graph if f.number == 12],
        opset=opset,
        ir_version=ir_version,
    )


def write(network: Network) -> bytes:
    graph = [protobuf.message(1, _node_fields(node)) for node in network.nodes]
    graph.append(protobuf.text(2, "facewire"))
    graph += [protobuf.message(5, _tensor_fields(array, name)) for name, array in network.constants.items()]
    graph += [protobuf.message(11, _value_fields(value)) for value in network.inputs]
    graph += [protobuf.message(12, _value_fields(value)) for value in network.outputs]
    opset = [protobuf.text(1, ""), protobuf.integer(2, network.opset)]
    return protobuf.write(
        [
            protobuf.integer(1, network.ir_version),
            protobuf.text(2, "facewire"),
            protobuf.message(7, graph),
            protobuf.message(8, opset),
        ]
    )


def _read_opset(raw: bytes) -> int:
    fields = {f.number: f for f in protobuf.read(raw)}
    if 1 in fields and fields[1].data not in (b"", b"ai.onnx"):
        raise ProtobufError(f"the file needs the operators of {fields[1].data.decode()}")
    return fields[2].integer if 2 in fields else 0


def _read_node(raw: bytes) -> Node:
    node = Node("", [], [])
    for part in protobuf.read(raw):
        if part.number == 1:
            node.inputs.append(part.data.decode())
        elif part.number == 2:
            node.outputs.append(part.data.decode())
        elif part.number == 4:
            node.op = part.data.decode()
        elif part.number == 5:
            name, value = _read_attribute(part.data)
            node.attributes[name] = value
        elif part.number == 7 and part.data:
            raise ProtobufError(f"the file needs the operators of {part.data.decode()}")
    return node


def _node_fields(node: Node) -> list[Field]:
    fields = [protobuf.text(1, name) for name in node.inputs]
    fields += [protobuf.text(2, name) for name in node.outputs]
    fields += [protobuf.text(3, node.outputs[0]), protobuf.text(4, node.op)]
    return fields + [protobuf.message(5, _attribute_fields(name, node.attributes[name])) for name in node.attributes]


def _read_attribute(raw: bytes) -> tuple[str, Attribute]:
    name, kind = "", 0
    single: dict[int, Field] = {}
    floats: list[float] = []
    ints: list[int] = []
    for part in protobuf.read(raw):
        if part.number == 1:
            name = part.data.decode()
        elif part.number == 20:
            kind = part.integer
        elif part.number == 7:
            floats += np.frombuffer(part.data, "<f4").tolist()
        elif part.number == 8:
            ints += protobuf.integers(part)
        else:
            single[part.number] = part
    # A value that is zero or empty may be left out of the message.
    if kind == _FLOAT:
        return name, float(np.frombuffer(single[2].data, "<f4")[0]) if 2 in single else 0.0
    if kind == _INT:
        return name, single[3].integer if 3 in single else 0
    if kind == _STRING:
        return name, single[4].data.decode() if 4 in single else ""
    if kind == _TENSOR and 5 in single:
        return name, _read_tensor(single[5].data)[1]
    if kind == _FLOATS:
        return name, tuple(floats)
    if kind == _INTS:
        return name, tuple(ints)
    raise ProtobufError(f"the attribute {name} is of kind {kind}, which is not read here")


def _attribute_fields(name: str, value: Attribute) -> list[Field]:
    if isinstance(value, int):
        kind, fields = _INT, [protobuf.integer(3, value)]
    elif isinstance(value, float):
        kind, fields = _FLOAT, [Field(2, protobuf.Wire.FIXED32, np.float32(value).astype("<f4").tobytes())]
    elif isinstance(value, str):
        kind, fields = _STRING, [protobuf.text(4, value)]
    elif isinstance(value, np.ndarray):
        kind, fields = _TENSOR, [protobuf.message(5, _tensor_fields(value))]
    elif any(isinstance(item, float) for item in value):
        kind, fields = _FLOATS, [protobuf.data(7, np.array(value, "<f4").tobytes())]
    else:
        kind, fields = _INTS, [protobuf.integer(8, int(item)) for item in value]
    return [protobuf.text(1, name), *fields, protobuf.integer(20, kind)]


def _read_tensor(raw: bytes) -> tuple[str, Array]:
    name, code = "", 0
    shape: list[int] = []
    parts = protobuf.read(raw)
    for part in parts:
        if part.number == 1:
            shape += protobuf.integers(part)
        elif part.number == 2:
            code = part.integer
        elif part.number == 8:
            name = part.data.decode()
    if code not in _DTYPES or any(part.number == 14 and part.integer for part in parts):
        raise ProtobufError(f"the tensor {name} has elements of type {code}, or keeps them in another file")
    dtype, typed = _DTYPES[code]
    elements = b"".join(part.data for part in parts if part.number == 9)
    if not elements:
        if typed in (5, 7):
            listed = [number for part in parts if part.number == typed for number in protobuf.integers(part)]
            # fp16 is listed as the numbers that its bits would be.
            elements = np.array(listed, np.uint16 if dtype.kind == "f" else dtype).tobytes()
        else:
            elements = b"".join(part.data for part in parts if part.number == typed)
    if len(elements) != dtype.itemsize * int(np.prod(shape, dtype=np.int64)):
        raise ProtobufError(f"the tensor {name} of shape {shape} holds {len(elements)} bytes")
    return name, np.frombuffer(elements, dtype).reshape(shape)


def _tensor_fields(array: Array, name: str = "") -> list[Field]:
    little_endian = np.ascontiguousarray(array, array.dtype.newbyteorder("<")).reshape(array.shape)
    fields = [protobuf.integer(1, size) for size in array.shape]
    fields.append(protobuf.integer(2, _CODES[little_endian.dtype]))
    if name:
        fields.append(protobuf.text(8, name))
    return [*fields, protobuf.data(9, little_endian.tobytes())]


def _read_value(raw: bytes) -> Value:
    name, code = "", 1
    shape: list[int | str] = []
    for part in protobuf.read(raw):
        if part.number == 1:
            name = part.data.decode()
        elif part.number == 2:
            tensors = [f.data for f in protobuf.read(part.data) if f.number == 1]
            for inner in (f for tensor in tensors for f in protobuf.read(tensor)):
                if inner.number == 1:
                    code = inner.integer
                elif inner.number == 2:
                    shape = [_read_dimension(f.data) for f in protobuf.read(inner.data) if f.number == 1]
    if code not in _DTYPES:
        raise ProtobufError(f"{name} has elements of type {code}, which is not read here")
    return Value(name, tuple(shape), _DTYPES[code][0])


def _read_dimension(raw: bytes) -> int | str:
    fields = {f.number: f for f in protobuf.read(raw)}
    if 2 in fields:
        return fields[2].data.decode()
    return fields[1].integer if 1 in fields else 0


def _value_fields(value: Value) -> list[Field]:
    sizes = [protobuf.text(2, size) if isinstance(size, str) else protobuf.integer(1, size) for size in value.shape]
    shape = [protobuf.message(1, [size]) for size in sizes]
    tensor = [protobuf.integer(1, _CODES[value.dtype]), protobuf.message(2, shape)]
    return [protobuf.text(1, value.name), protobuf.message(2, [protobuf.message(1, tensor)])]
