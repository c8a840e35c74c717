"""A small network of dlib's blocks, written here in dlib's format and computed here step by step."""

from __future__ import annotations

import math
from itertools import product

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from checkpoints import dlib_dat, dlib_net, onnx_file
from checkpoints.dlib_dat import DlibError, Layer

Map = NDArray[np.float64]  # (channels, rows, columns)
NONE = np.empty(0, np.float32)
SIDE = 40


def con(random: np.random.Generator, channels: int, before: int, size: int, stride: int = 1) -> Layer:
    """dlib's con: as wide a border as the window needs, unless it goes in steps."""
    weights = random.normal(0, 0.3, (channels, before, size, size)).astype(np.float32)
    bias = random.normal(0, 0.3, channels).astype(np.float32)
    border = 0 if stride > 1 else size // 2
    return Layer("con", weights, bias, (size, size), (stride, stride), (border, border))


def affine(random: np.random.Generator, channels: int) -> Layer:
    factors, addends = random.uniform(0.5, 1.5, channels), random.normal(0, 0.3, channels)
    return Layer("affine", factors.astype(np.float32), addends.astype(np.float32))


def plain(kind: str) -> Layer:
    return Layer(kind, NONE, NONE)


def block(random: np.random.Generator, channels: int, before: int, *, down: bool) -> list[Layer]:
    first, second = con(random, channels, before, 3, 2 if down else 1), con(random, channels, channels, 3)
    layers = [first, affine(random, channels), plain("relu"), second, affine(random, channels)]
    pool = [Layer("avg_pool", NONE, NONE, (2, 2), (2, 2))] if down else []
    return [*layers, *pool, plain("add_prev"), plain("relu")]


def small_layers() -> list[Layer]:
    """The maps have 18², 9², 9², 4² places and in the last block 1², which is filled up to 2²."""
    random = np.random.default_rng(7)
    stem = [con(random, 4, 3, 5, 2), affine(random, 4), plain("relu"), Layer("max_pool", NONE, NONE, (2, 2), (2, 2))]
    blocks = [block(random, 4, 4, down=False), block(random, 6, 4, down=True), block(random, 6, 6, down=True)]
    end = [Layer("avg_pool", NONE, NONE, (0, 0)), Layer("fc", random.normal(0, 1, (6, 5)).astype(np.float32), NONE)]
    return [*stem, *(layer for one in blocks for layer in one), *end]


# What stands in the file, from the embedding to the picture: 2 for a layer, 1 for a mark, 3 for the first layer.
PLAIN_VERSIONS = [2, 2, 2, 2, 2, 2, 2, 1]
DOWN_VERSIONS = [2, 2, 2, 1, 1, 2, 2, 2, 2, 2, 1]
VERSIONS = [2, 2, *DOWN_VERSIONS, *DOWN_VERSIONS, *PLAIN_VERSIONS, 2, 2, 2, 3]


def integer(*values: int) -> bytes:
    written = b""
    for value in values:
        size = max(1, (abs(value).bit_length() + 7) // 8)
        written += bytes([size | (0x80 if value < 0 else 0)]) + abs(value).to_bytes(size, "little")
    return written


def real(value: float) -> bytes:
    mantissa, exponent = math.frexp(value)
    return integer(round(mantissa * 2**24), exponent - 24)


def text(value: str) -> bytes:
    return integer(len(value)) + value.encode()


def tensor(*arrays: NDArray[np.float32]) -> bytes:
    flat = np.concatenate([array.ravel() for array in arrays] or [NONE])
    return integer(2, *((flat.size, 1, 1, 1) if arrays else (0, 0, 0, 0))) + flat.astype("<f4").tobytes()


def contents(layer: Layer) -> bytes:
    channels = layer.bias.size
    if layer.kind == "con":
        shapes = integer(1, *layer.weights.shape, 1, 1, channels, 1, 1)
        sizes = integer(channels, *layer.window, *layer.strides, *layer.border)
        return text("con_4") + tensor(layer.weights, layer.bias) + sizes + shapes + 4 * real(1.0)
    if layer.kind == "affine":
        return text("affine_") + tensor(layer.weights, layer.bias) + 2 * integer(1, 1, channels, 1, 1) + integer(0)
    if layer.kind == "fc":
        inputs, outputs = layer.weights.shape
        shapes = integer(1, inputs, outputs, 1, 1) + integer(1, 0, 0, 0, 0)
        return text("fc_2") + integer(outputs, inputs) + tensor(layer.weights) + shapes + integer(1) + 4 * real(1.0)
    if layer.kind.endswith("_pool"):
        return text(f"{layer.kind}_2") + integer(*layer.window, *layer.strides, *layer.border)
    return text(f"{layer.kind}_")


def write(layers: list[Layer], versions: list[int] = VERSIONS) -> bytes:
    raw = integer(1) + text("loss_metric_2") + real(0.04) + real(0.6) + integer(*versions)
    raw += text("input_rgb_image_sized") + real(122.782) + real(117.001) + real(104.298) + integer(SIDE, SIDE)
    for i, layer in enumerate(layers):
        raw += contents(layer) + b"110" + 3 * tensor() + (integer(1) if i == 0 else b"")
    return raw


def slide(layer: Layer, picture: Map, channels: int) -> Map:
    (rows, columns), (down, along), (over, beside) = layer.window, layer.strides, layer.border
    wide = np.pad(picture, ((0, 0), (over, over), (beside, beside)))
    height, width = ((wide.shape[1] - rows) // down + 1, (wide.shape[2] - columns) // along + 1)
    result = np.empty((channels, height, width))
    for y, x in product(range(height), range(width)):
        window = wide[:, y * down : y * down + rows, x * along : x * along + columns]
        if layer.kind == "con":
            result[:, y, x] = (layer.weights * window).sum((1, 2, 3)) + layer.bias
        else:
            result[:, y, x] = window.max((1, 2)) if layer.kind == "max_pool" else window.mean((1, 2))
    return result


def add(one: Map, other: Map) -> Map:
    """As dlib adds tensors of different sizes: what one does not have counts as zero."""
    total = np.zeros(np.maximum(one.shape, other.shape))
    for part in (one, other):
        total[: part.shape[0], : part.shape[1], : part.shape[2]] += part
    return total


def compute(layers: list[Layer], picture: Map) -> NDArray[np.float64]:
    now = before = around = picture
    for i, layer in enumerate(layers):
        if layer.kind == "con":
            if i > 0 and layers[i + 2].kind == "relu":  # a block begins
                before = around = now
            now = slide(layer, now, layer.bias.size)
        elif layer.kind == "affine":
            now = now * layer.weights[:, None, None] + layer.bias[:, None, None]
        elif layer.kind == "relu":
            now = np.maximum(now, 0)
        elif layer.kind == "max_pool":
            now = slide(layer, now, len(now))
        elif layer.kind == "avg_pool" and layer.window == (0, 0):
            now = now.mean((1, 2), keepdims=True)
        elif layer.kind == "avg_pool":
            around = slide(layer, before, len(before))
        elif layer.kind == "add_prev":
            now, before = add(now, around), now
    return now.ravel() @ layers[-1].weights


def test_the_network_computes_what_dlib_does() -> None:
    layers = small_layers()
    network = dlib_net.network(write(layers))
    pictures = np.random.default_rng(1).normal(size=(3, 3, SIDE, SIDE)).astype(np.float32)
    net = cv2.dnn.readNetFromONNX(np.frombuffer(onnx_file.write(network), np.uint8))
    net.setInput(pictures)
    expected = np.stack([compute(layers, picture.astype(np.float64)) for picture in pictures])
    assert np.ptp(expected, axis=0).min() > 0.01
    np.testing.assert_allclose(net.forward(), expected, atol=1e-4)


def test_the_network_is_made_of_plain_layers() -> None:
    network = dlib_net.network(write(small_layers()))
    assert [node.op for node in network.nodes] == [
        "Conv", "Relu", "MaxPool",
        "Conv", "Relu", "Conv", "Add", "Relu",
        "Conv", "Relu", "Conv", "Conv", "Add", "Relu",
        "Conv", "Relu", "Conv", "Conv", "Pad", "Add", "Relu",
        "GlobalAveragePool", "Flatten", "Gemm",
    ]  # fmt: skip
    assert network.inputs[0].shape == ("N", 3, SIDE, SIDE)
    assert network.outputs == [onnx_file.Value("embedding", ("N", 5))]


def test_the_file_is_read_with_its_mean_colour() -> None:
    net = dlib_dat.read(write(small_layers()))
    np.testing.assert_allclose(net.mean, (122.782, 117.001, 104.298), rtol=1e-6)
    assert net.size_wh == (SIDE, SIDE)
    assert [layer.kind for layer in net.layers] == [layer.kind for layer in small_layers()]


@pytest.mark.parametrize("value", [0, 1, -1, 127, 128, 255, 256, -70000, 2**40])
def test_numbers_come_back(value: int) -> None:
    assert dlib_dat._Stream(integer(value)).integer() == value


def test_blocks_that_are_nested_in_another_way_are_refused() -> None:
    versions = [2, 2, *DOWN_VERSIONS, *PLAIN_VERSIONS, *DOWN_VERSIONS, 2, 2, 2, 3]
    with pytest.raises(DlibError, match="not nested"):
        dlib_net.network(write(small_layers(), versions))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda raw: raw[:-1], "in the middle of something"),
        (lambda raw: raw + b"\0", "1 bytes are left over"),
        (lambda raw: raw.replace(b"loss_metric_2", b"loss_metric_3"), "does not begin with a metric loss"),
        (lambda raw: raw.replace(b"input_rgb_image_sized", b"input_grayscale_image"), "input_grayscale_image"),
        (lambda raw: raw.replace(b"relu_", b"prel_"), "layer prel_ is not known"),
        (lambda raw: raw.replace(b"110", b"1x0", 1), "no yes or no"),
        (lambda raw: b"\x71" + raw[1:], "no number begins at byte 0"),
    ],
)
def test_what_is_not_understood_is_refused(change: object, reason: str) -> None:
    assert callable(change)
    with pytest.raises(DlibError, match=reason):
        dlib_dat.read(change(write(small_layers())))


def test_layers_that_do_not_fit_together_are_refused() -> None:
    random = np.random.default_rng(1)
    for at, instead in ((3, con(random, 4, 5, 3)), (1, affine(random, 3)), (-1, plain("relu"))):
        layers = small_layers()
        layers[at] = instead
        with pytest.raises(DlibError, match="takes|follow|end"):
            dlib_net.network(write(layers))
