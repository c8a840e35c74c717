"""Steps of a network as nodes of ONNX, rounded to int8 the way that `checkpoints.quantise` rounds."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from checkpoints.onnx_file import Array, Attribute, Node
from training.fake_quantise import LARGEST
from training.steps import Floats, Step

_ZERO = "zero"


class Nodes:
    """Grows by one step after the other; each method takes the name of a tensor and gives that of what it made of it.

    A step's tensors bear its name: `block0`, `block0/weights`, `block0/rectified` and so on.
    """

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.constants: dict[str, Array] = {}

    def step(self, step: Step, source: str, name: str) -> str:
        made = self._layer(step, source, name)
        if step.rectified and step.slopes is None:
            made = self.node("Relu", [made], f"{name}/rectified")
        elif step.slopes is not None:
            slopes = self._constant(f"{name}/slopes", step.slopes.reshape(-1, *[1] * (step.weights.ndim - 2)))
            made = self.node("PRelu", [made, slopes], f"{name}/rectified")
        if step.scale is not None:
            made = self.pair(made, step.scale)
        if step.pool is not None:
            kernel, stride = step.pool
            sizes: dict[str, Attribute] = {"kernel_shape": (kernel, kernel), "strides": (stride, stride)}
            made = self.node("MaxPool", [made], f"{name}/pooled", sizes)
        return made

    def pair(self, source: str, scale: float) -> str:
        """To int8 and back."""
        steps = [self._constant(f"{source}/scale", np.array(scale, np.float32))]
        steps.append(self._constant(_ZERO, np.array(0, np.int8)))
        rounded = self.node("QuantizeLinear", [source, *steps], f"{source}/int8")
        return self.node("DequantizeLinear", [rounded, *steps], f"{source}/rounded")

    def node(self, op: str, inputs: list[str], output: str, attributes: Mapping[str, Attribute] | None = None) -> str:
        self.nodes.append(Node(op, inputs, [output], dict(attributes or {})))
        return output

    def _layer(self, step: Step, source: str, name: str) -> str:
        weights = self._weights(step, f"{name}/weights")
        biases = self._constant(f"{name}/biases", step.biases)
        if step.weights.ndim == 2:
            return self.node("Gemm", [source, weights, biases], name, {"transB": 1})
        sizes: dict[str, Attribute] = {
            "group": step.groups,
            "kernel_shape": step.weights.shape[2:],
            "strides": (step.stride, step.stride),
        }
        return self.node("Conv", [source, weights, biases], name, sizes)

    def _weights(self, step: Step, name: str) -> str:
        if step.scales is None:
            return self._constant(name, step.weights)
        steps = [
            self._constant(f"{name}/int8", whole(step.weights, step.scales)),
            self._constant(f"{name}/scales", step.scales),
            self._constant(f"{name}/zeros", np.zeros(step.scales.size, np.int8)),
        ]
        return self.node("DequantizeLinear", steps, f"{name}/rounded", {"axis": 0})

    def _constant(self, name: str, array: Array) -> str:
        self.constants[name] = array
        return name


def whole(weights: Floats, scales: Floats) -> NDArray[np.int8]:
    """The weights as numbers of steps: rounded to even at the half, as torch and the runtimes do."""
    numbers: Floats = np.rint(weights / scales.reshape(-1, *[1] * (weights.ndim - 1)))
    return np.clip(numbers, -LARGEST, LARGEST).astype(np.int8)
