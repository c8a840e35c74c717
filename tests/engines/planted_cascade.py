"""A cascade that sees a face wherever a picture is bright, as training writes one: it rounds itself and says log odds.

Each network takes the mean of its window, (value − 128) / 128 of all three colours, and answers
STEEPNESS · (mean − LEAST). Rounded, the mean is a multiple of STEP.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from checkpoints import onnx_file
from checkpoints.onnx_file import Array, Network, Node, Value
from checkpoints.store import sha256_of

WINDOW_PX = {"pnet": 12, "rnet": 24, "onet": 48}
STEEPNESS, LEAST, STEP = 40.0, 0.7, 1 / 16
POINTS = [0.25, 0.75, 0.5, 0.25, 0.75, 0.25, 0.25, 0.5, 0.75, 0.75]


def planted_cascade(folder: Path) -> Path:
    """Three files and their manifest, whose path comes back."""
    files = []
    for part in WINDOW_PX:
        path = folder / f"bright_{part}.onnx"
        path.write_bytes(onnx_file.write(bright_network(part)))
        files.append(_entry(part, path))
    content = {"role": "detector", "family": "mtcnn", "files": files, "layout": "NCHW", "colour": "BGR"}
    manifest = folder / "bright.json"
    manifest.write_text(json.dumps(content | {"mean": 128, "scale": 1 / 128}), encoding="utf-8")
    return manifest


def bright_network(part: str) -> Network:
    side = WINDOW_PX[part]
    widths = {"log_odds": 1, "boxes": 4} | ({"landmarks": 10} if part == "onet" else {})
    answers = {"log_odds": (STEEPNESS, [-STEEPNESS * LEAST]), "boxes": (0.0, [0.0] * 4), "landmarks": (0.0, POINTS)}
    constants: dict[str, Array] = {
        "zero": np.array(0, np.int8),
        "fine": np.array(1 / 128, np.float32),
        "coarse": np.array(STEP, np.float32),
        "kernel": np.full((1, 3, side, side), 127, np.int8),
        "kernel_scales": np.array([1 / (3 * side * side) / 127], np.float32),
        "kernel_zeros": np.array([0], np.int8),
    }
    nodes = [
        *_pair("pictures", "fine"),
        Node("DequantizeLinear", ["kernel", "kernel_scales", "kernel_zeros"], ["mean_of"], {"axis": 0}),
        Node("Conv", ["pictures_wide", "mean_of"], ["means"], {"kernel_shape": (side, side), "strides": (2, 2)}),
        Node("Relu", ["means"], ["bright"]),
        *_pair("bright", "coarse"),
    ]
    for name, width in widths.items():
        slope, bias = answers[name]
        constants |= {f"{name}_slope": np.full((width, 1, 1, 1), slope, np.float32)}
        constants |= {f"{name}_bias": np.array(bias, np.float32)}
        head = ["bright_wide", f"{name}_slope", f"{name}_bias"]
        nodes.append(Node("Conv", head, [f"{name}_map"], {"kernel_shape": (1, 1)}))
        if part == "pnet":
            nodes.append(Node("Transpose", [f"{name}_map"], [name], {"perm": (0, 2, 3, 1)}))
        else:
            nodes.append(Node("Flatten", [f"{name}_map"], [name]))
    height, width_px = ("H", "W") if part == "pnet" else (side, side)
    places = ("N", "rows", "columns") if part == "pnet" else ("N",)
    outputs = [Value(name, (*places, width)) for name, width in widths.items()]
    return Network(nodes, constants, [Value("pictures", ("N", 3, height, width_px))], outputs, opset=17, ir_version=8)


def _entry(part: str, path: Path) -> dict[str, Any]:
    outputs = ["log_odds", "boxes"] + (["landmarks"] if part == "onet" else [])
    return {
        "part": part,
        "name": path.name,
        "sha256": sha256_of(path),
        "size_wh": None if part == "pnet" else [WINDOW_PX[part]] * 2,
        "input": "pictures",
        "outputs": {name: name for name in outputs},
        "pairs": True,
        "source": None,
    }


def _pair(name: str, scale: str) -> list[Node]:
    return [
        Node("QuantizeLinear", [name, scale, "zero"], [f"{name}_byte"]),
        Node("DequantizeLinear", [f"{name}_byte", scale, "zero"], [f"{name}_wide"]),
    ]
