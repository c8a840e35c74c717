"""Single-stage networks that see a face wherever a cell of the picture is bright, with boxes known by arithmetic.

Cells of 8 px answer to blue, of 16 px to green, of 32 px to red: the score is the mean of that colour in the cell over
255. The first anchor of a cell answers, the second one never does. Boxes and landmarks are the same for all cells.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from checkpoints import brought, onnx_file
from checkpoints.manifest import Family, Manifest
from checkpoints.onnx_file import Array, Network, Node, Value
from checkpoints.store import sha256_of

STRIDES = (8, 16, 32)
NORMALISATION: dict[Family, tuple[str, list[float], float]] = {
    "yunet": ("BGR", [0.0, 0.0, 0.0], 1.0),
    "scrfd": ("RGB", [127.5, 127.5, 127.5], 1 / 128),
    "retinaface": ("BGR", [104.0, 117.0, 123.0], 1.0),
}
POINTS = [-0.5, -0.25, 0.5, -0.25, 0.0, 0.125, -0.375, 0.5, 0.375, 0.5]
YUNET_BOX = [0.25, 0.5, 1.5, 1.25]
SCRFD_BOX = [1.5, 1.75, 2.0, 2.25]
RETINAFACE_BOX = [0.5, -0.5, 1.0, -1.0]


class _Builder:
    def __init__(self, family: Family) -> None:
        self._colour, self._mean, self._scale = NORMALISATION[family]
        self.nodes: list[Node] = []
        self.constants: dict[str, Array] = {}

    def grid(self, name: str, stride: int, brightness: Sequence[float], bias: Sequence[float], width: int) -> None:
        """Rows of `width` values for each cell: bias plus so many times the brightness of the level's colour."""
        channel = (0, 1, 2)[STRIDES.index(stride)]
        channel = 2 - channel if self._colour == "RGB" else channel
        kernel = np.zeros((len(bias), 3, stride, stride), np.float32)
        shares = np.array(brightness, np.float32) / 255
        kernel[:, channel] = (shares / self._scale / stride**2)[:, None, None]
        self.constants |= {
            f"{name}_kernel": kernel,
            f"{name}_bias": (np.array(bias) + shares * self._mean[channel]).astype(np.float32),
            f"{name}_rows": np.array([0, -1, width], np.int64),
        }
        across = {"kernel_shape": (stride, stride), "strides": (stride, stride)}
        self.nodes += [
            Node("Conv", ["picture", f"{name}_kernel", f"{name}_bias"], [f"{name}_map"], dict(across)),
            Node("Transpose", [f"{name}_map"], [f"{name}_last"], {"perm": (0, 2, 3, 1)}),
            Node("Reshape", [f"{name}_last", f"{name}_rows"], [name]),
        ]


def planted(folder: Path, family: Family, size_wh: tuple[int, int] | None = None, **more: Any) -> tuple[Manifest, Path]:
    """Written into the folder as a model that somebody brings; `more` replaces fields of its manifest."""
    builder = _Builder(family)
    widths = {"yunet": _yunet, "scrfd": _scrfd, "retinaface": _retinaface}[family](builder)
    height, width = (size_wh[1], size_wh[0]) if size_wh else ("H", "W")
    network = Network(
        nodes=builder.nodes,
        constants=builder.constants,
        inputs=[Value("picture", ("N", 3, height, width))],
        outputs=[Value(name, ("N", f"{name}_rows", width_)) for name, width_ in widths.items()],
        opset=17,
    )
    path = folder / f"{family}.onnx"
    path.write_bytes(onnx_file.write(network))
    colour, mean, scale = NORMALISATION[family]
    file: dict[str, Any] = {"part": "net", "name": path.name, "sha256": sha256_of(path)}
    file |= {"size_wh": size_wh and list(size_wh), "input": "picture", "outputs": {name: name for name in widths}}
    content = {"family": family, "files": [file], "layout": "NCHW", "colour": colour, "mean": mean, "scale": scale}
    path.with_suffix(".json").write_text(json.dumps(content | more), encoding="utf-8")
    return brought.find(path, "detector")


def _yunet(builder: _Builder) -> dict[str, int]:
    for stride in STRIDES:
        builder.grid(f"cls_{stride}", stride, [1], [0], 1)
        builder.grid(f"obj_{stride}", stride, [1], [0], 1)
        builder.grid(f"bbox_{stride}", stride, [0] * 4, YUNET_BOX, 4)
        builder.grid(f"kps_{stride}", stride, [0] * 10, POINTS, 10)
    widths = {"cls": 1, "obj": 1, "bbox": 4, "kps": 10}
    return {f"{kind}_{stride}": width for kind, width in widths.items() for stride in STRIDES}


def _scrfd(builder: _Builder) -> dict[str, int]:
    for stride in STRIDES:
        builder.grid(f"score_{stride}", stride, [1, 0], [0, 0], 1)
        builder.grid(f"bbox_{stride}", stride, [0] * 8, SCRFD_BOX * 2, 4)
        builder.grid(f"kps_{stride}", stride, [0] * 20, POINTS * 2, 10)
    return {
        f"{kind}_{stride}": width for kind, width in {"score": 1, "bbox": 4, "kps": 10}.items() for stride in STRIDES
    }


def _retinaface(builder: _Builder) -> dict[str, int]:
    for stride in STRIDES:
        builder.grid(f"conf_{stride}", stride, [-1, 1, 0, 0], [1, 0, 1, 0], 2)
        builder.grid(f"loc_{stride}", stride, [0] * 8, RETINAFACE_BOX * 2, 4)
        builder.grid(f"landms_{stride}", stride, [0] * 20, POINTS * 2, 10)
    for kind in ("loc", "conf", "landms"):
        builder.nodes.append(Node("Concat", [f"{kind}_{stride}" for stride in STRIDES], [kind], {"axis": 1}))
    return {"loc": 4, "conf": 2, "landms": 10}
