"""dlib's ResNet-29 as an ONNX network of plain layers that every runtime fuses and quantises well.

Affine layers go into the weights of the convolution in front of them. dlib adds maps of different sizes by filling up
the smaller one with zeros, at its last rows and columns and behind its last channels:

- Where the way around a block has fewer channels than the block, its 2 × 2 mean becomes a convolution whose further
  filters are zero, so that the sum remains a convolution and an addition.
- Where a block comes out smaller than the way around it (3 × 3 and 4 × 4, 1 × 1 and 2 × 2), it is padded.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from checkpoints import dlib_dat
from checkpoints.dlib_dat import FIRST_LAYER, LAYER, MARK, DlibError, DlibNet, Layer
from checkpoints.onnx_file import Array, Network, Node, Value

INPUT, OUTPUT, OPSET = "data", "embedding", 17


def network(raw: bytes) -> Network:
    published = dlib_dat.read(raw)
    builder = _Builder(published.size_wh)
    for i, layer in enumerate(published.layers):
        builder.add(layer, published.layers[i + 1 :])
    if list(published.versions) != list(reversed(builder.versions)):
        raise DlibError("the blocks of the network are not nested as in ResNet-29")
    return builder.finish(published)


@dataclass(frozen=True, slots=True)
class _Map:
    """A result with its channels, rows and columns."""

    name: str
    channels: int
    rows: int
    columns: int


class _Builder:
    """versions  those that the layers and marks met so far have in the file, from the picture to the embedding"""

    def __init__(self, size_wh: tuple[int, int]) -> None:
        self.versions: list[int] = []
        self._nodes: list[Node] = []
        self._weights: dict[str, Array] = {}
        self._now = _Map(INPUT, 3, size_wh[1], size_wh[0])
        self._before_block: _Map | None = None  # where the way around the block that is being built begins
        self._way_around: _Map | None = None

    def add(self, layer: Layer, following: tuple[Layer, ...]) -> None:
        kinds = [one.kind for one in following[:6]]
        if layer.kind == "con" and kinds[:4] == ["affine", "relu", "con", "affine"]:
            self._before_block = self._now
            self.versions.append(MARK)
        if layer.kind == "avg_pool" and kinds[:1] == ["add_prev"]:
            self.versions += [MARK, MARK]  # the block's end is marked, then the pool goes back to its beginning
        steps = {
            "con": self._convolution, "affine": self._affine, "relu": self._relu, "max_pool": self._largest,
            "avg_pool": self._mean, "add_prev": self._sum, "fc": self._dense,
        }  # fmt: skip
        steps[layer.kind](layer)
        self.versions.append(LAYER if len(self.versions) else FIRST_LAYER)

    def finish(self, published: DlibNet) -> Network:
        if self._nodes[-1].op != "Gemm":
            raise DlibError("the network does not end in a dense layer")
        width, height = published.size_wh
        inputs = [Value(INPUT, ("N", 3, height, width))]
        outputs = [Value(OUTPUT, ("N", self._now.channels))]
        return Network(self._nodes, self._weights, inputs, outputs, OPSET, ir_version=8)

    def _convolution(self, layer: Layer) -> None:
        channels = layer.weights.shape[1]
        if channels != self._now.channels:
            raise DlibError(f"a convolution takes {channels} channels of {self._now.channels}")
        self._now = self._convolve(self._now, layer.weights, layer.bias, layer)

    def _convolve(self, source: _Map, weights: NDArray[np.float32], bias: NDArray[np.float32], layer: Layer) -> _Map:
        result = self._slid(self._name("conv"), source, layer, channels=len(weights))
        self._weights |= {f"{result.name}/weights": weights, f"{result.name}/bias": bias}
        attributes = {"kernel_shape": layer.window, "strides": layer.strides, "pads": layer.border * 2}
        inputs = [source.name, f"{result.name}/weights", f"{result.name}/bias"]
        self._nodes.append(Node("Conv", inputs, [result.name], dict(attributes)))
        return result

    def _affine(self, layer: Layer) -> None:
        name = self._now.name
        if self._nodes[-1].op != "Conv" or len(layer.weights) != self._now.channels:
            raise DlibError("an affine layer does not follow a convolution")
        weights, bias = (self._weights[f"{name}/{part}"].astype(np.float64) for part in ("weights", "bias"))
        factors = layer.weights.astype(np.float64)
        self._weights[f"{name}/weights"] = (weights * factors[:, None, None, None]).astype(np.float32)
        self._weights[f"{name}/bias"] = (bias * factors + layer.bias).astype(np.float32)

    def _relu(self, _: Layer) -> None:
        name = self._name("relu")
        self._nodes.append(Node("Relu", [self._now.name], [name]))
        self._now = _Map(name, self._now.channels, self._now.rows, self._now.columns)

    def _largest(self, layer: Layer) -> None:
        if layer.border != (0, 0):
            raise DlibError("a pool reaches over the edge")
        source = self._now
        self._now = self._slid(self._name("pool"), source, layer, channels=source.channels)
        attributes = {"kernel_shape": layer.window, "strides": layer.strides}
        self._nodes.append(Node("MaxPool", [source.name], [self._now.name], dict(attributes)))

    def _mean(self, layer: Layer) -> None:
        if layer.window == (0, 0):
            name = self._name("mean")
            self._nodes.append(Node("GlobalAveragePool", [self._now.name], [name]))
            self._now = _Map(name, self._now.channels, 1, 1)
            return
        source, channels = self._before_block, self._now.channels
        if source is None or source.channels > channels or layer.border != (0, 0):
            raise DlibError("a mean is taken that leads around no block")
        rows, columns = layer.window
        weights = np.zeros((channels, source.channels, rows, columns), np.float32)
        weights[range(source.channels), range(source.channels)] = np.float32(1 / (rows * columns))
        self._way_around = self._convolve(source, weights, np.zeros(channels, np.float32), layer)

    def _sum(self, _: Layer) -> None:
        around = self._way_around or self._before_block
        if around is None or around.channels != self._now.channels:
            raise DlibError("a sum has no other side")
        name = self._name("sum")
        sides = [self._padded(self._now, around), self._padded(around, self._now)]
        self._nodes.append(Node("Add", sides, [name]))
        rows, columns = max(self._now.rows, around.rows), max(self._now.columns, around.columns)
        self._now = _Map(name, around.channels, rows, columns)
        self._before_block = self._way_around = None

    def _padded(self, one: _Map, other: _Map) -> str:
        down, along = max(other.rows - one.rows, 0), max(other.columns - one.columns, 0)
        if not down and not along:
            return one.name
        name = self._name("padded")
        self._weights[f"{name}/pads"] = np.array([0, 0, 0, 0, 0, 0, down, along], np.int64)
        self._nodes.append(Node("Pad", [one.name, f"{name}/pads"], [name]))
        return name

    def _dense(self, layer: Layer) -> None:
        flat = self._name("flat")
        self._nodes.append(Node("Flatten", [self._now.name], [flat], {"axis": 1}))
        if (self._now.rows, self._now.columns, self._now.channels) != (1, 1, layer.weights.shape[0]):
            raise DlibError(f"the dense layer takes {layer.weights.shape[0]} numbers")
        self._weights["dense/weights"] = np.ascontiguousarray(layer.weights.T)
        self._nodes.append(Node("Gemm", [flat, "dense/weights"], [OUTPUT], {"transB": 1}))
        self._now = _Map(OUTPUT, layer.weights.shape[1], 1, 1)

    def _slid(self, name: str, source: _Map, layer: Layer, *, channels: int) -> _Map:
        rows, columns = (
            (size + 2 * border - window) // stride + 1
            for size, window, stride, border in zip(
                (source.rows, source.columns), layer.window, layer.strides, layer.border, strict=True
            )
        )
        if rows < 1 or columns < 1:
            raise DlibError(f"{source.name} is too small for a window of {layer.window[0]} × {layer.window[1]}")
        return _Map(name, channels, rows, columns)

    def _name(self, kind: str) -> str:
        return f"{kind}_{sum(node.outputs[0].startswith(f'{kind}_') for node in self._nodes) + 1}"
