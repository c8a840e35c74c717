"""The wire format of protocol buffers, as far as ONNX files need it.

A message is a list of numbered fields. What is read and written again without a change is the same message, and the
same fields always give the same bytes: the sha256 of a converted model must not depend on the machine.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum


class ProtobufError(ValueError):
    """Bytes that are not a protobuf message."""


class Wire(IntEnum):
    VARINT = 0
    FIXED64 = 1
    LENGTH = 2
    FIXED32 = 5


@dataclass(frozen=True, slots=True)
class Field:
    """value  a signed number for VARINT, the raw bytes for all others"""

    number: int
    wire: Wire
    value: int | bytes

    @property
    def integer(self) -> int:
        if not isinstance(self.value, int):
            raise ProtobufError(f"field {self.number} holds {len(self.value)} bytes where a number was expected")
        return self.value

    @property
    def data(self) -> bytes:
        if not isinstance(self.value, bytes):
            raise ProtobufError(f"field {self.number} holds the number {self.value} where bytes were expected")
        return self.value


def read(data: bytes) -> list[Field]:
    fields, at = [], 0
    while at < len(data):
        tag, at = _read_varint(data, at)
        number, kind = tag >> 3, tag & 7
        if number == 0 or kind not in tuple(Wire):
            raise ProtobufError(f"no protobuf field begins at byte {at}")
        wire = Wire(kind)
        if wire is Wire.VARINT:
            value, at = _read_varint(data, at)
            fields.append(Field(number, wire, _signed(value)))
            continue
        if wire is Wire.LENGTH:
            size, at = _read_varint(data, at)
        else:
            size = 8 if wire is Wire.FIXED64 else 4
        if at + size > len(data):
            raise ProtobufError(f"field {number} at byte {at} is cut off: {len(data) - at} of {size} bytes are there")
        fields.append(Field(number, wire, data[at : at + size]))
        at += size
    return fields


def write(fields: Iterable[Field]) -> bytes:
    parts: list[bytes] = []
    for field in fields:
        parts.append(_varint(field.number << 3 | field.wire))
        if field.wire is Wire.VARINT:
            parts.append(_varint(field.integer))
        else:
            if field.wire is Wire.LENGTH:
                parts.append(_varint(len(field.data)))
            parts.append(field.data)
    return b"".join(parts)


def integer(number: int, value: int) -> Field:
    return Field(number, Wire.VARINT, value)


def data(number: int, value: bytes) -> Field:
    return Field(number, Wire.LENGTH, value)


def text(number: int, value: str) -> Field:
    return Field(number, Wire.LENGTH, value.encode())


def message(number: int, fields: Iterable[Field]) -> Field:
    return Field(number, Wire.LENGTH, write(fields))


def integers(field: Field) -> Iterator[int]:
    """The numbers of a repeated field, which may come packed or one by one."""
    if field.wire is Wire.VARINT:
        yield field.integer
        return
    at = 0
    while at < len(field.data):
        value, at = _read_varint(field.data, at)
        yield _signed(value)


def _read_varint(source: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if at >= len(source):
            raise ProtobufError("the message ends in the middle of a number")
        if shift > 63:
            raise ProtobufError(f"the number that ends at byte {at} is longer than 64 bits")
        byte = source[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & 0xFFFF_FFFF_FFFF_FFFF, at
        shift += 7


def _varint(value: int) -> bytes:
    rest, encoded = value & 0xFFFF_FFFF_FFFF_FFFF, bytearray()
    while rest > 0x7F:
        encoded.append(rest & 0x7F | 0x80)
        rest >>= 7
    encoded.append(rest)
    return bytes(encoded)


def _signed(value: int) -> int:
    return value - (1 << 64) if value >> 63 else value
