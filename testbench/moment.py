"""The moment at which a picture was made, written into the picture: black and white squares that survive a codec.

Only the standard library is used, so that the system's Python can run it; both sides share this machine's clock.
"""

from __future__ import annotations

from collections.abc import Callable

BITS = 32
_MS = 1_000_000
_MIDDLE = 128
_ROWS = 2  # of squares, half of the bits in each


def stamped_grey(size_wh: tuple[int, int], made_ns: int) -> bytes:
    """A picture of one byte a pixel: the squares at the top, below them stripes that move with time."""
    width, height = size_wh
    side = square_px(width)
    value = (made_ns // _MS) & 0xFFFFFFFF
    rows = []
    for row in range(_ROWS):
        line = bytearray(b"\x40" * width)
        for column in range(BITS // _ROWS):
            bit = value >> (row * BITS // _ROWS + column) & 1
            line[column * side : (column + 1) * side] = bytes([235 if bit else 16]) * side
        rows.append(bytes(line) * side)
    stripe = bytes((value // 8 + x) % 200 + 20 for x in range(width))
    return b"".join(rows) + stripe * (height - _ROWS * side)


def age_ms(pixel: Callable[[int, int], float], width: int, now_ns: int) -> float:
    """How long ago the picture was made. pixel: how light it is at a row and a column."""
    side = square_px(width)
    value = 0
    for row in range(_ROWS):
        for column in range(BITS // _ROWS):
            lit = pixel(row * side + side // 2, column * side + side // 2) > _MIDDLE
            value |= int(lit) << (row * BITS // _ROWS + column)
    return float(((now_ns // _MS) - value) & 0xFFFFFFFF)


def square_px(width: int) -> int:
    return width // (BITS // _ROWS)
