"""Networks of a few layers, made for tests, and the same computed plainly in numpy."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from checkpoints import onnx_file
from checkpoints.manifest import Colour, Layout
from checkpoints.onnx_file import Array, Network, Node, Value
from checkpoints.store import sha256_of
from engines.options import Precision
from engines.spec import EngineSpec

SIDE_PX = 8
OUTPUTS = ("boxes", "scores", "vector")


@dataclass(frozen=True, slots=True)
class SmallNet:
    """A convolution with a ReLU; from it a map of four, a softmax over two, and a vector of four.

    kernel    (4, 3, 3, 3)
    bias      (4,)
    head      (2, 4), of the softmax
    quantise  with Q/DQ nodes: activations and weights int8, zero point 0
    """

    kernel: NDArray[np.float32]
    bias: NDArray[np.float32]
    head: NDArray[np.float32]
    layout: Layout = "NCHW"
    quantise: bool = False

    def network(self) -> Network:
        shape = ("N", 3, "H", "W") if self.layout == "NCHW" else ("N", "H", "W", 3)
        constants: dict[str, Array] = {"bias": self.bias, "head": self.head.reshape(2, 4, 1, 1)}
        nodes = []
        start = "picture"
        if self.layout == "NHWC":
            nodes.append(Node("Transpose", ["picture"], ["planes"], {"perm": (0, 3, 1, 2)}))
            start = "planes"
        weights = "kernel"
        constants["kernel"] = self.kernel
        if self.quantise:
            start = self._quantised(nodes, constants, start, np.float32(1 / 64))
            weights = self._quantised_kernel(nodes, constants)
        nodes.append(Node("Conv", [start, weights, "bias"], ["sums"], {"kernel_shape": (3, 3), "pads": (1, 1, 1, 1)}))
        nodes.append(Node("Relu", ["sums"], ["boxes"]))
        after = self._quantised(nodes, constants, "boxes", np.float32(3 / 64)) if self.quantise else "boxes"
        nodes += [
            Node("Conv", [after, "head"], ["two"], {"kernel_shape": (1, 1)}),
            Node("Transpose", ["two"], ["two_last"], {"perm": (0, 2, 3, 1)}),
            Node("Softmax", ["two_last"], ["scores"], {"axis": 3}),
            Node("GlobalAveragePool", [after], ["means"]),
            Node("Flatten", ["means"], ["vector"]),
        ]
        outputs = [Value("vector", ("N", 4)), Value("scores", ("N", "H", "W", 2)), Value("boxes", ("N", 4, "H", "W"))]
        return Network(nodes, constants, [Value("picture", shape)], outputs, opset=17, ir_version=8)

    @staticmethod
    def _quantised(nodes: list[Node], constants: dict[str, Array], name: str, scale: np.float32) -> str:
        constants[f"{name}_scale"] = np.array(scale, np.float32)
        constants[f"{name}_zero"] = np.array(0, np.int8)
        nodes.append(Node("QuantizeLinear", [name, f"{name}_scale", f"{name}_zero"], [f"{name}_q"]))
        nodes.append(Node("DequantizeLinear", [f"{name}_q", f"{name}_scale", f"{name}_zero"], [f"{name}_dq"]))
        return f"{name}_dq"

    def _quantised_kernel(self, nodes: list[Node], constants: dict[str, Array]) -> str:
        scales = np.abs(self.kernel).max(axis=(1, 2, 3)) / 127
        constants["kernel"] = np.round(self.kernel / scales[:, None, None, None]).astype(np.int8)
        constants["kernel_scale"], constants["kernel_zero"] = scales.astype(np.float32), np.zeros(4, np.int8)
        inputs = ["kernel", "kernel_scale", "kernel_zero"]
        nodes.append(Node("DequantizeLinear", inputs, ["kernel_dq"], {"axis": 0}))
        return "kernel_dq"

    def compute(self, pictures: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        """From (N, H, W, 3) values as the network wants them, in fp64; instead of scores their log odds."""
        count, height, width, _ = pictures.shape
        padded = np.pad(pictures, ((0, 0), (1, 1), (1, 1), (0, 0)))
        sums = np.zeros((count, 4, height, width)) + self.bias[:, None, None]
        for row in range(3):
            for column in range(3):
                window = padded[:, row : row + height, column : column + width]
                sums += np.einsum("nhwc,oc->nohw", window, self.kernel[:, :, row, column])
        boxes = np.maximum(sums, 0)
        two = np.einsum("nchw,oc->nhwo", boxes, self.head)
        return {"boxes": boxes, "scores": two[..., 1:] - two[..., :1], "vector": boxes.mean(axis=(2, 3))}


def small_net(layout: Layout = "NCHW", quantise: bool = False) -> SmallNet:
    random = np.random.default_rng(3)
    kernel = random.normal(size=(4, 3, 3, 3)).astype(np.float32) / 3
    bias, head = random.normal(size=4).astype(np.float32), random.normal(size=(2, 4)).astype(np.float32)
    return SmallNet(kernel, bias, head, layout, quantise)


def spec_of(
    network: Network,
    folder: Path,
    *,
    layout: Layout = "NCHW",
    colour: Colour = "RGB",
    mean: tuple[float, float, float] = (127.5, 127.5, 127.5),
    scale: tuple[float, float, float] = (1 / 128, 1 / 128, 1 / 128),
    batch: int = 2,
    precision: Precision = "fp32",
) -> EngineSpec:
    """The network written to a file in the folder, and what a manifest would say about it."""
    path = folder / "small.onnx"
    path.write_bytes(onnx_file.write(network))
    return EngineSpec(
        name="small_net",
        model=path,
        sha256=sha256_of(path),
        batch=batch,
        size_wh=(SIDE_PX + 2, SIDE_PX),
        input="picture",
        layout=layout,
        colour=colour,
        mean=mean,
        scale=scale,
        outputs=OUTPUTS,
        log_odds=("scores",),
        precision=precision,
        threads=1,
    )
