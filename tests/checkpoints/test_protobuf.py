import pytest

from checkpoints import protobuf
from checkpoints.protobuf import Field, ProtobufError, Wire


@pytest.mark.parametrize("value", [0, 1, 127, 128, 300, 2**31, 2**63 - 1, -1, -(2**63)])
def test_a_number_comes_back_as_it_was(value: int) -> None:
    assert protobuf.read(protobuf.write([protobuf.integer(5, value)])) == [Field(5, Wire.VARINT, value)]


def test_all_kinds_of_fields_come_back_in_their_order() -> None:
    fields = [
        protobuf.text(1, "Zürich"),
        Field(2, Wire.FIXED32, b"\x00\x00\x80\x3f"),
        Field(3, Wire.FIXED64, b"12345678"),
        protobuf.message(4, [protobuf.integer(1, 7)]),
        protobuf.data(1, b""),
        protobuf.integer(1000, 3),
    ]
    assert protobuf.read(protobuf.write(fields)) == fields


def test_the_bytes_are_those_of_the_published_format() -> None:
    # The example of the protocol buffers documentation: field 1 = 150, field 2 = "testing".
    assert protobuf.write([protobuf.integer(1, 150), protobuf.text(2, "testing")]) == b"\x08\x96\x01\x12\x07testing"


def test_packed_and_single_numbers_are_the_same() -> None:
    packed = protobuf.data(8, b"\x03\x96\x01" + b"\xff" * 9 + b"\x01")
    assert list(protobuf.integers(packed)) == [3, 150, -1]
    assert list(protobuf.integers(protobuf.integer(8, -1))) == [-1]


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"\x12\x07test", "cut off"),
        (b"\x08\x96", "middle of a number"),
        (b"\x08" + b"\xff" * 11, "longer than 64 bits"),
        (b"\x0b", "no protobuf field"),
        (b"\x00\x01", "no protobuf field"),
        (b"\x15\x00\x00", "cut off"),
    ],
)
def test_damaged_bytes_are_refused_with_the_reason(raw: bytes, reason: str) -> None:
    with pytest.raises(ProtobufError, match=reason):
        protobuf.read(raw)


def test_a_field_of_the_other_kind_is_refused() -> None:
    with pytest.raises(ProtobufError, match="field 3 holds the number 4"):
        _ = protobuf.integer(3, 4).data
    with pytest.raises(ProtobufError, match="field 3 holds 2 bytes"):
        _ = protobuf.text(3, "ab").integer
