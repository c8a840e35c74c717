"""Reading a network that dlib has serialised: its layers with their weights, from the picture to the embedding.

A number comes as one byte, which holds the count of the bytes that follow and in its highest bit the sign, and those
bytes; a real number as mantissa and exponent of two; the elements of a tensor as plain 32-bit floats. The nested
layers give first their version tags, from the outermost to the innermost, and then their contents the other way round.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


class DlibError(ValueError):
    """Bytes that are not a network of dlib, or one with layers that are not known here."""


# Versions that stand for layers: a computing one, one that only marks a place or goes back to one, and the first one.
LAYER, MARK, FIRST_LAYER = 2, 1, 3
_NO_BIAS = 1


@dataclass(frozen=True, slots=True)
class Layer:
    """kind     con, affine, relu, max_pool, avg_pool, add_prev or fc
    weights  of con (out, in, rows, columns), of fc (in, out), of affine the factors (channels,); else empty
    bias     of con, and of affine the addends (channels,); else empty
    window   rows and columns of con and the pools; 0: the whole map
    strides, border  of con and the pools
    """

    kind: str
    weights: NDArray[np.float32]
    bias: NDArray[np.float32]
    window: tuple[int, int] = (1, 1)
    strides: tuple[int, int] = (1, 1)
    border: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True)
class DlibNet:
    """versions    one for each layer or mark, from the embedding to the picture
    mean        red, green, blue: subtracted from the picture before it is divided by 256
    size_wh     of the picture
    """

    versions: tuple[int, ...]
    mean: tuple[float, float, float]
    size_wh: tuple[int, int]
    layers: tuple[Layer, ...]


def read(raw: bytes) -> DlibNet:
    try:
        return _read(raw)
    except DlibError:
        raise
    except (ValueError, KeyError, IndexError, OverflowError) as error:
        raise DlibError(f"the file is damaged: {error}") from error


def _read(raw: bytes) -> DlibNet:
    stream = _Stream(raw)
    if stream.integer() != 1 or stream.text() != "loss_metric_2":
        raise DlibError("the file does not begin with a metric loss")
    stream.reals(2)  # of training only
    versions: list[int] = []
    while not versions or versions[-1] != FIRST_LAYER:
        versions.append(stream.integer())
        if versions[-1] not in (LAYER, MARK, FIRST_LAYER):
            raise DlibError(f"a layer has version {versions[-1]}")
    if (name := stream.text()) != "input_rgb_image_sized":
        raise DlibError(f"the network takes {name}")
    red, green, blue = stream.reals(3)
    rows, columns = stream.integers(2)
    count = sum(version != MARK for version in versions)
    layers = tuple(_layer(stream, first=i == 0) for i in range(count))
    stream.end()
    return DlibNet(tuple(versions), (red, green, blue), (columns, rows), layers)


def _layer(stream: _Stream, *, first: bool) -> Layer:
    name = stream.text()
    readers = {
        "con_4": _convolution, "affine_": _affine, "fc_2": _dense, "max_pool_2": _pool, "avg_pool_2": _pool,
        "relu_": _plain, "add_prev_": _plain,
    }  # fmt: skip
    if name not in readers:
        raise DlibError(f"the layer {name} is not known here")
    layer = readers[name](stream, name.rstrip("_0123456789"))
    stream.flags(3)
    for _ in range(3):  # kept between steps of training
        stream.tensor()
    if first and stream.integer() != 1:
        raise DlibError("the network makes several pictures of one")
    return layer


_NONE = np.empty(0, np.float32)


def _plain(_: _Stream, kind: str) -> Layer:
    return Layer(kind, _NONE, _NONE)


def _pool(stream: _Stream, kind: str) -> Layer:
    rows, columns, down, along, border_y, border_x = stream.integers(6)
    return Layer(kind, _NONE, _NONE, (rows, columns), (down, along), (border_y, border_x))


def _convolution(stream: _Stream, kind: str) -> Layer:
    parameters = stream.tensor()
    count, rows, columns, down, along, border_y, border_x = stream.integers(7)
    shape, bias_shape = stream.shape(), stream.shape()
    stream.reals(4)  # rates of training
    if shape[0] != count or shape[2:] != (rows, columns):
        raise DlibError(f"{count} filters of {rows} × {columns} have the shape {shape}")
    weights, bias = _split(parameters, shape, bias_shape)
    return Layer(kind, weights, bias.reshape(count), (rows, columns), (down, along), (border_y, border_x))


def _affine(stream: _Stream, kind: str) -> Layer:
    parameters = stream.tensor()
    shape, bias_shape = stream.shape(), stream.shape()
    if stream.integer() != 0:
        raise DlibError("an affine layer does not work by channel")
    factors, addends = _split(parameters, shape, bias_shape)
    return Layer(kind, factors.reshape(-1), addends.reshape(-1))


def _dense(stream: _Stream, kind: str) -> Layer:
    outputs, inputs = stream.integers(2)
    parameters = stream.tensor()
    stream.shape()
    stream.shape()
    if stream.integer() != _NO_BIAS:
        raise DlibError("the dense layer has a bias")
    stream.reals(4)
    return Layer(kind, _split(parameters, (inputs, outputs), (0,))[0], _NONE)


def _split(
    parameters: NDArray[np.float32], *shapes: tuple[int, ...]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    one, other = (int(np.prod(shape)) for shape in shapes)
    if one + other != parameters.size:
        raise DlibError(f"{parameters.size} weights are there where {one} + {other} belong")
    return parameters[:one].reshape(shapes[0]), parameters[one:].reshape(shapes[1])


class _Stream:
    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._at = 0

    def integer(self) -> int:
        head = self._take(1)[0]
        if head & 0x70 or head & 0x0F > 8:
            raise DlibError(f"no number begins at byte {self._at - 1}")
        value = int.from_bytes(self._take(head & 0x0F), "little")
        return -value if head & 0x80 else value

    def integers(self, count: int) -> list[int]:
        return [self.integer() for _ in range(count)]

    def reals(self, count: int) -> list[float]:
        return [float(self.integer() * 2.0 ** self.integer()) for _ in range(count)]

    def text(self) -> str:
        return self._take(self.integer()).decode("ascii", "replace")

    def flags(self, count: int) -> None:
        if self._take(count).strip(b"01"):
            raise DlibError(f"no yes or no is at byte {self._at - count}")

    def tensor(self) -> NDArray[np.float32]:
        if self.integer() != 2:
            raise DlibError(f"no tensor is at byte {self._at}")
        count = int(np.prod(self.integers(4)))
        return np.frombuffer(self._take(4 * count), "<f4")

    def shape(self) -> tuple[int, ...]:
        if self.integer() != 1:
            raise DlibError(f"no shape is at byte {self._at}")
        return tuple(self.integers(4))

    def end(self) -> None:
        if self._at != len(self._raw):
            raise DlibError(f"{len(self._raw) - self._at} bytes are left over")

    def _take(self, count: int) -> bytes:
        taken = self._raw[self._at : self._at + count]
        if count < 0 or len(taken) < count:
            raise DlibError(f"the file ends at byte {len(self._raw)}, in the middle of something")
        self._at += count
        return taken
