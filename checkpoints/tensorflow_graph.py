"""The one change that FaceNet's frozen TensorFlow graph needs: it was written down for a single picture.

Its last layers reshape to (1, …). OpenVINO reads the graph as it is, but a batch of pictures then gives one wrong
embedding without any complaint. Here the batch is left open.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from checkpoints import protobuf
from checkpoints.protobuf import Field, ProtobufError

# Numbers of the fields of GraphDef, NodeDef, AttrValue and TensorProto.
_NODE, _NAME, _OP, _INPUT, _ATTRIBUTE = 1, 1, 2, 3, 5
_KEY, _VALUE, _TENSOR, _SHAPE, _DIMENSION, _SIZE, _CONTENT = 1, 2, 8, 2, 2, 1, 4


@dataclass(frozen=True, slots=True)
class _Node:
    name: str
    op: str
    inputs: tuple[str, ...]
    fields: list[Field]


def let_batches_through(raw: bytes) -> bytes:
    graph = protobuf.read(raw)
    nodes = {node.name: node for node in (_read(f.data) for f in graph if f.number == _NODE)}
    shapes: dict[str, bytes] = {}
    for node in nodes.values():
        if node.op == "Reshape":
            shape = _numbers(nodes[node.inputs[1]])
            if len(shape) == 2 and shape[0] == 1:
                size = shape[1] if shape[1] != -1 else _rows_behind(node.name, nodes)
                shapes[node.inputs[1]] = struct.pack("<2i", -1, size)
    if not shapes:
        raise ProtobufError("no layer of the graph reshapes to one picture")
    return protobuf.write(_with_shape(f, shapes) if f.number == _NODE else f for f in graph)


def _rows_behind(name: str, nodes: dict[str, _Node]) -> int:
    """How many numbers the dense layer behind a flattened map takes."""
    for node in nodes.values():
        if node.op == "MatMul" and node.inputs[0] == name:
            shape = _one(_tensor(nodes[node.inputs[1]]), _SHAPE)
            return _number(_one(protobuf.read(shape.data), _DIMENSION).data, _SIZE)
    raise ProtobufError(f"no dense layer comes after {name}")


def _with_shape(field: Field, shapes: dict[str, bytes]) -> Field:
    node = _read(field.data)
    if node.name not in shapes:
        return field
    return protobuf.message(
        _NODE, [_with_content(f, shapes[node.name]) if f.number == _ATTRIBUTE else f for f in node.fields]
    )


def _with_content(attribute: Field, content: bytes) -> Field:
    """The attribute as it was, but for the numbers of its tensor if it has one."""
    entry = protobuf.read(attribute.data)
    value = protobuf.read(_one(entry, _VALUE).data)
    if not any(f.number == _TENSOR for f in value):
        return attribute
    tensor = [
        protobuf.data(_CONTENT, content) if f.number == _CONTENT else f
        for f in protobuf.read(_one(value, _TENSOR).data)
    ]
    changed = [protobuf.message(_TENSOR, tensor) if f.number == _TENSOR else f for f in value]
    return protobuf.message(_ATTRIBUTE, [protobuf.message(_VALUE, changed) if f.number == _VALUE else f for f in entry])


def _read(raw: bytes) -> _Node:
    fields = protobuf.read(raw)
    inputs = tuple(f.data.decode() for f in fields if f.number == _INPUT)
    return _Node(_one(fields, _NAME).data.decode(), _one(fields, _OP).data.decode(), inputs, fields)


def _tensor(node: _Node) -> list[Field]:
    for field in node.fields:
        if field.number == _ATTRIBUTE:
            value = protobuf.read(_one(protobuf.read(field.data), _VALUE).data)
            for inner in value:
                if inner.number == _TENSOR:
                    return protobuf.read(inner.data)
    raise ProtobufError(f"{node.name} holds no numbers")


def _numbers(node: _Node) -> tuple[int, ...]:
    content = _one(_tensor(node), _CONTENT).data
    return struct.unpack(f"<{len(content) // 4}i", content)


def _number(raw: bytes, number: int) -> int:
    return _one(protobuf.read(raw), number).integer


def _one(fields: list[Field], number: int) -> Field:
    for field in fields:
        if field.number == number:
            return field
    raise ProtobufError(f"a message has no field {number}")
