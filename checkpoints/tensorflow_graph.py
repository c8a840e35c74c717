"""Reading a frozen TensorFlow graph (GraphDef) without TensorFlow: its operations and its constants."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from checkpoints import protobuf
from checkpoints.protobuf import Field, ProtobufError

# Numbers of the fields of GraphDef, NodeDef, AttrValue, TensorProto and TensorShapeProto.
_NODE = 1
_NAME, _OP, _INPUT, _ATTRIBUTE = 1, 2, 3, 5
_LIST, _TEXT, _INTEGER, _REAL, _TRUTH, _SHAPE, _TENSOR = 1, 2, 3, 4, 5, 7, 8
_DTYPE, _TENSOR_SHAPE, _CONTENT, _REALS, _INTEGERS = 1, 2, 4, 5, 7
_DTYPES: dict[int, np.dtype[np.generic]] = {1: np.dtype("<f4"), 3: np.dtype("<i4"), 9: np.dtype("<i8")}

Array = NDArray[np.generic]
Attribute = int | float | str | tuple[int, ...] | Array


@dataclass(frozen=True, slots=True)
class Operation:
    """inputs      names of other operations
    attributes  those of the kinds that a network for pictures uses; others are left out
    """

    name: str
    op: str
    inputs: tuple[str, ...]
    attributes: dict[str, Attribute]

    def text(self, name: str) -> str:
        value = self.attributes.get(name, "")
        if not isinstance(value, str):
            raise ProtobufError(f"{self.name}: {name} must be a text, is {value!r}")
        return value

    def numbers(self, name: str) -> tuple[int, ...]:
        value = self.attributes.get(name)
        if not isinstance(value, tuple):
            raise ProtobufError(f"{self.name}: {name} must be a list of whole numbers, is {value!r}")
        return value

    def real(self, name: str) -> float:
        value = self.attributes.get(name)
        if not isinstance(value, float):
            raise ProtobufError(f"{self.name}: {name} must be a number, is {value!r}")
        return value

    def tensor(self) -> Array:
        value = self.attributes.get("value")
        if not isinstance(value, np.ndarray):
            raise ProtobufError(f"{self.name} holds no numbers")
        return value


def read(raw: bytes) -> list[Operation]:
    """Every operation comes after those whose results it reads; the file has them in any order."""
    try:
        return _read(raw)
    except ProtobufError:
        raise
    except (ValueError, KeyError, IndexError, OverflowError) as error:
        raise ProtobufError(f"the file is damaged: {error}") from error


def _read(raw: bytes) -> list[Operation]:
    operations = {one.name: one for one in (_operation(f.data) for f in protobuf.read(raw) if f.number == _NODE)}
    if not operations:
        raise ProtobufError("the file holds no TensorFlow graph")
    done: dict[str, Operation] = {}
    for name in operations:
        _add_with_inputs(name, operations, done)
    return list(done.values())


def _add_with_inputs(name: str, operations: dict[str, Operation], done: dict[str, Operation]) -> None:
    waiting = [name]
    while waiting:
        current = waiting[-1]
        if current not in operations:
            raise ProtobufError(f"{waiting[-2]} reads {current}, which is not there")
        missing = [other for other in operations[current].inputs if other not in done]
        if not missing:
            done[waiting.pop()] = operations[current]
        elif missing[0] in waiting:
            raise ProtobufError(f"{current} reads {missing[0]}, which waits for it")
        else:
            waiting.append(missing[0])


def _operation(raw: bytes) -> Operation:
    name = op = ""
    inputs: list[str] = []
    attributes: dict[str, Attribute] = {}
    for field in protobuf.read(raw):
        if field.number == _NAME:
            name = field.data.decode()
        elif field.number == _OP:
            op = field.data.decode()
        elif field.number == _INPUT:
            other = field.data.decode().removesuffix(":0")
            if not other.startswith("^"):  # only says that the other one runs first
                inputs.append(other)
        elif field.number == _ATTRIBUTE:
            entry = {part.number: part.data for part in protobuf.read(field.data)}
            value = _attribute(protobuf.read(entry[2])) if 2 in entry else None
            if value is not None:
                attributes[entry[1].decode()] = value
    return Operation(name, op, tuple(inputs), attributes)


def _attribute(fields: list[Field]) -> Attribute | None:
    for field in fields:
        if field.number == _LIST:
            return tuple(number for part in protobuf.read(field.data) if part.number == 3 for number in _numbers(part))
        if field.number == _TEXT:
            return field.data.decode()
        if field.number in (_INTEGER, _TRUTH):
            return field.integer
        if field.number == _REAL:
            return float(np.frombuffer(field.data, "<f4")[0])
        if field.number == _SHAPE:
            return _shape(field.data)
        if field.number == _TENSOR:
            return _tensor(field.data)
    return None


def _numbers(field: Field) -> list[int]:
    return list(protobuf.integers(field))


def _shape(raw: bytes) -> tuple[int, ...]:
    sizes = [protobuf.read(part.data) for part in protobuf.read(raw) if part.number == 2]
    return tuple(next((part.integer for part in size if part.number == 1), 0) for size in sizes)


def _tensor(raw: bytes) -> Array:
    code, elements = 0, b""
    shape: tuple[int, ...] = ()
    listed: list[int] = []
    for field in protobuf.read(raw):
        if field.number == _DTYPE:
            code = field.integer
        elif field.number == _TENSOR_SHAPE:
            shape = _shape(field.data)
        elif field.number in (_CONTENT, _REALS):
            elements += field.data
        elif field.number == _INTEGERS:
            listed += _numbers(field)
    if code not in _DTYPES:
        raise ProtobufError(f"a constant has elements of type {code}, which is not read here")
    if listed:
        elements = np.array(listed, _DTYPES[code]).tobytes()
    flat: Array = np.frombuffer(elements, _DTYPES[code])
    count = int(np.prod(shape, dtype=np.int64))
    if flat.size not in (1, count):
        raise ProtobufError(f"a constant of shape {shape} holds {flat.size} numbers")
    # One number stands for a whole tensor of it.
    return np.broadcast_to(flat, count).reshape(shape)
