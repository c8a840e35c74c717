"""Inputs that are almost right: a valid one with something changed, cut, doubled or taken from another."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

Change = Callable[[random.Random, bytearray, bytes], None]
LARGEST_BYTES = 1 << 16

# What readers trip over: ends of ranges, lengths that lie, signs that mean something in texts.
_NUMBERS = [0, 1, -1, 127, 128, 255, 256, 32767, 65535, 65536, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1, -(2**63)]
_WORDS = (
    *(b"", b"\0", b"\n", b'"', b"'", b"{", b"}", b"[", b"]", b"[" * 2000, b'{"a":' * 500, b",", b":", b"=", b"#", b"%"),
    *(b"%00", b"%zz", b"@", b"//", b"\\", b"..", b"../../x", b"null", b"true", b"NaN", b"Infinity", b"-1", b"1e999"),
    *(b"0" * 500, b"9" * 30, b"9" * 5000, b"\xff\xfe", b"\xc3\x28", b"\xed\xa0\x80", b"\\ud800", b"\xe2\x80\xae"),
    *(b"{user}", b"{password}", b"$(x)", b"\x1b[2J", b"1e308", b"-0.0", b"[]", b"{}", b'""', b"\\u0000"),
)


def mutated(chance: random.Random, seed: bytes, other: bytes) -> bytes:
    """One to six changes of `seed`, of which some take a part of `other`."""
    data = bytearray(seed)
    for _ in range(1 + int(chance.random() ** 2 * 6)):
        chance.choice(_CHANGES)(chance, data, other)
        del data[LARGEST_BYTES:]
    return bytes(data)


def _place(chance: random.Random, data: Sequence[int]) -> int:
    return chance.randrange(len(data) + 1)


def _span(chance: random.Random, data: Sequence[int], most: int = 64) -> tuple[int, int]:
    start = _place(chance, data)
    return start, min(len(data), start + chance.randrange(1, most))


def _flip(chance: random.Random, data: bytearray, _: bytes) -> None:
    if data:
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)


def _set(chance: random.Random, data: bytearray, _: bytes) -> None:
    if data:
        data[chance.randrange(len(data))] = chance.choice((0, 1, 0x7F, 0x80, 0xFF, chance.randrange(256)))


def _cut(chance: random.Random, data: bytearray, _: bytes) -> None:
    start, end = _span(chance, data)
    del data[start:end]


def _end(chance: random.Random, data: bytearray, _: bytes) -> None:
    del data[_place(chance, data) :]


def _double(chance: random.Random, data: bytearray, _: bytes) -> None:
    start, end = _span(chance, data)
    data[start:start] = data[start:end] * chance.choice((1, 1, 2, 50))


def _word(chance: random.Random, data: bytearray, _: bytes) -> None:
    start, end = _span(chance, data, 12)
    data[start : start if chance.random() < 0.5 else end] = chance.choice(_WORDS)


def _digits(chance: random.Random, data: bytearray, _: bytes) -> None:
    """A number in a text becomes another one."""
    places = [at for at, value in enumerate(data) if 48 <= value <= 57]
    if places:
        start = end = chance.choice(places)
        while end < len(data) and 48 <= data[end] <= 57:
            end += 1
        data[start:end] = str(chance.choice(_NUMBERS)).encode()


def _number(chance: random.Random, data: bytearray, _: bytes) -> None:
    """A binary number of any width and order becomes another one."""
    width = chance.choice((1, 2, 4, 8))
    value = chance.choice(_NUMBERS) % (1 << 8 * width)
    start = _place(chance, data)
    data[start : start + width] = value.to_bytes(width, chance.choice(("little", "big")))


def _borrow(chance: random.Random, data: bytearray, other: bytes) -> None:
    start, end = _span(chance, other, 400)
    at = _place(chance, data)
    data[at : at + chance.choice((0, end - start))] = other[start:end]


def _noise(chance: random.Random, data: bytearray, _: bytes) -> None:
    data[_place(chance, data) :] = chance.randbytes(chance.randrange(64))


_CHANGES: tuple[Change, ...] = (_flip, _set, _cut, _end, _double, _word, _digits, _number, _borrow, _noise)
