"""FaceNet's frozen TensorFlow graph as an ONNX network of plain layers that every runtime fuses and quantises well.

The graph was written down for one picture with the channels last; the network takes batches with the channels first.
Biases, batch normalisation and the factors of the residual branches go into the weights of the layer in front of them.
The last step of the graph, which brings the embedding to unit length, is left out: the embedder does it anyway, and
a quantised network is better off without it.
"""

from __future__ import annotations

from collections import Counter

import numpy as np
from numpy.typing import NDArray

from checkpoints import tensorflow_graph
from checkpoints.onnx_file import Array, Attribute, Network, Node, Value
from checkpoints.protobuf import ProtobufError
from checkpoints.tensorflow_graph import Operation

INPUT, OUTPUT, OPSET = "data", "embedding", 17


def network(raw: bytes) -> Network:
    operations = tensorflow_graph.read(raw)
    builder = _Builder(operations)
    for operation in operations:
        builder.add(operation)
    return builder.finish()


class _Builder:
    """Walks over the graph once. `_names` tells what an operation's result is called in the network; an operation
    that went into the layer in front of it has that layer's name."""

    def __init__(self, operations: list[Operation]) -> None:
        self._readers = Counter(name for operation in operations for name in operation.inputs)
        self._names: dict[str, str] = {}
        self._values: dict[str, Array] = {}
        self._sides: dict[str, tuple[int, int]] = {}  # rows and columns of each map
        self._nodes: dict[str, Node] = {}  # by the name of their result
        self._weights: dict[str, Array] = {}
        self._input: Value | None = None
        # Results that hold 1 / |x|, its square and so on → x: the steps of bringing x to unit length.
        self._lengths: dict[str, str] = {}

    def add(self, operation: Operation) -> None:
        steps = {
            "Placeholder": self._placeholder, "Const": self._constant, "Conv2D": self._convolution,
            "MatMul": self._dense, "BiasAdd": self._bias, "FusedBatchNorm": self._batch_normalisation,
            "Mul": self._factor, "Add": self._sum, "Relu": self._relu, "ConcatV2": self._concatenation,
            "MaxPool": self._largest, "AvgPool": self._mean, "Reshape": self._reshape, "Square": self._length,
            "Sum": self._length, "Maximum": self._length, "Rsqrt": self._length,
        }  # fmt: skip
        if operation.op not in steps:
            raise ProtobufError(f"{operation.name}: the operation {operation.op} is not known here")
        steps[operation.op](operation)

    def finish(self) -> Network:
        result = next(reversed(self._nodes), "")
        if self._input is None or not result or self._nodes[result].op != "Gemm":
            raise ProtobufError("the graph does not end in a dense layer that makes an embedding of a picture")
        self._nodes[result].outputs[0] = OUTPUT
        dim = self._weights[f"{result}/bias"].shape[0]
        outputs = [Value(OUTPUT, ("N", dim))]
        return Network(list(self._nodes.values()), self._weights, [self._input], outputs, OPSET, ir_version=8)

    def _placeholder(self, operation: Operation) -> None:
        shape = operation.numbers("shape")
        if len(shape) != 4:
            raise ProtobufError(f"{operation.name} takes no pictures but shape {shape}")
        _, rows, columns, channels = shape
        self._names[operation.name] = INPUT
        self._sides[INPUT] = rows, columns
        self._input = Value(INPUT, ("N", channels, rows, columns))

    def _constant(self, operation: Operation) -> None:
        self._values[operation.name] = operation.tensor()

    def _convolution(self, operation: Operation) -> None:
        kernel = self._values[operation.inputs[1]]  # (rows, columns, in, out)
        strides = operation.numbers("strides")[1:3]
        rows, columns = kernel.shape[:2]
        if operation.text("padding") == "VALID":
            border = (0, 0)
        elif strides == (1, 1) and rows % 2 and columns % 2:
            border = (rows // 2, columns // 2)
        else:
            raise ProtobufError(f"{operation.name}: padding SAME would be lopsided")
        if operation.attributes.get("dilations", (1, 1, 1, 1)) != (1, 1, 1, 1):
            raise ProtobufError(f"{operation.name} is dilated")
        attributes: dict[str, Attribute] = {
            "kernel_shape": (rows, columns), "strides": strides, "pads": border + border,
        }  # fmt: skip
        source = self._names[operation.inputs[0]]
        name = self._layer("Conv", operation, source, kernel.transpose(3, 2, 0, 1), attributes)
        self._sides[name] = self._side(source, (rows, columns), strides, border)

    def _dense(self, operation: Operation) -> None:
        weights = self._values[operation.inputs[1]]  # (in, out)
        if operation.attributes.get("transpose_a") or operation.attributes.get("transpose_b"):
            raise ProtobufError(f"{operation.name} exchanges rows and columns")
        self._layer("Gemm", operation, self._names[operation.inputs[0]], weights.T, {"transB": 1})

    def _layer(
        self, op: str, operation: Operation, source: str, weights: Array, attributes: dict[str, Attribute]
    ) -> str:
        """A layer whose weights (out, …) begin with a bias of zeros."""
        name = _short(operation.name)
        parts = {f"{name}/weights": weights, f"{name}/bias": np.zeros(len(weights))}
        self._weights |= {part: np.ascontiguousarray(array, np.float32) for part, array in parts.items()}
        self._put(operation, Node(op, [source, *parts], [name], attributes))
        return name

    def _bias(self, operation: Operation) -> None:
        bias = self._values[operation.inputs[1]].astype(np.float64)
        self._into_layer(operation, operation.inputs[0], np.ones_like(bias), bias)

    def _batch_normalisation(self, operation: Operation) -> None:
        if operation.attributes.get("is_training", 1):
            raise ProtobufError(f"{operation.name} normalises each batch by itself")
        data, *constants = operation.inputs
        gamma, beta, mean, variance = (self._values[name].astype(np.float64) for name in constants)
        factor = gamma / np.sqrt(variance + operation.real("epsilon"))
        self._into_layer(operation, data, factor, beta - mean * factor)

    def _factor(self, operation: Operation) -> None:
        for one, other in (operation.inputs, operation.inputs[::-1]):
            if one in self._values and self._values[one].size == 1:
                self._into_layer(operation, other, self._values[one].astype(np.float64).reshape(1), np.zeros(1))
                return
            if one in self._lengths and self._lengths[one] == self._names.get(other):
                self._names[operation.name] = self._names[other]
                return
        raise ProtobufError(f"{operation.name} multiplies two maps")

    def _into_layer(
        self, operation: Operation, data: str, factor: NDArray[np.float64], plus: NDArray[np.float64]
    ) -> None:
        """Change the layer that makes `data` so that it makes `data · factor + plus`, by channel."""
        name = self._names.get(data, "")
        if name not in self._nodes or self._nodes[name].op not in ("Conv", "Gemm") or self._readers[data] != 1:
            raise ProtobufError(f"{operation.name} does not follow a convolution or dense layer of its own")
        weights, bias = (self._weights[part].astype(np.float64) for part in self._nodes[name].inputs[1:])
        by_channel = factor.reshape(-1, *[1] * (weights.ndim - 1))
        self._weights[f"{name}/weights"] = (weights * by_channel).astype(np.float32)
        self._weights[f"{name}/bias"] = (bias * factor + plus).astype(np.float32)
        self._names[operation.name] = name

    def _sum(self, operation: Operation) -> None:
        self._plain("Add", operation, operation.inputs)

    def _relu(self, operation: Operation) -> None:
        self._plain("Relu", operation, operation.inputs)

    def _concatenation(self, operation: Operation) -> None:
        *maps, axis = operation.inputs
        if int(self._values[axis].item()) not in (3, -1):
            raise ProtobufError(f"{operation.name} does not join channels")
        self._plain("Concat", operation, maps, {"axis": 1})

    def _largest(self, operation: Operation) -> None:
        window, strides = (operation.numbers(name)[1:3] for name in ("ksize", "strides"))
        if operation.text("padding") != "VALID":
            raise ProtobufError(f"{operation.name} reaches over the edge")
        name = self._plain("MaxPool", operation, operation.inputs, {"kernel_shape": window, "strides": strides})
        self._sides[name] = self._side(self._names[operation.inputs[0]], window, strides, (0, 0))

    def _mean(self, operation: Operation) -> None:
        source = self._names[operation.inputs[0]]
        if operation.numbers("ksize")[1:3] != self._sides[source] or operation.text("padding") != "VALID":
            raise ProtobufError(f"{operation.name} does not take the mean of the whole map")
        name = self._plain("GlobalAveragePool", operation, operation.inputs)
        self._sides[name] = 1, 1

    def _plain(
        self,
        op: str,
        operation: Operation,
        inputs: tuple[str, ...] | list[str],
        attributes: dict[str, Attribute] | None = None,
    ) -> str:
        sources = [self._names[name] for name in inputs]
        name = _short(operation.name)
        self._sides[name] = self._sides[sources[0]]
        self._put(operation, Node(op, sources, [name], attributes or {}))
        return name

    def _reshape(self, operation: Operation) -> None:
        """A map of one cell becomes a vector; a vector that is given other names for its sizes stays one."""
        source = self._names[operation.inputs[0]]
        if self._nodes[source].op == "Gemm":
            self._names[operation.name] = source
        elif self._sides[source] == (1, 1):
            self._put(operation, Node("Flatten", [source], [_short(operation.name)], {"axis": 1}))
        else:
            raise ProtobufError(f"{operation.name} would mix places and channels")

    def _length(self, operation: Operation) -> None:
        source = operation.inputs[0]
        self._lengths[operation.name] = self._names[source] if operation.op == "Square" else self._lengths[source]

    def _side(
        self, source: str, window: tuple[int, ...], strides: tuple[int, ...], border: tuple[int, ...]
    ) -> tuple[int, int]:
        rows, columns = (
            (size + 2 * border[i] - window[i]) // strides[i] + 1 for i, size in enumerate(self._sides[source])
        )
        return rows, columns

    def _put(self, operation: Operation, node: Node) -> None:
        name = node.outputs[0]
        if name in self._nodes:
            raise ProtobufError(f"two operations are called {name}")
        self._nodes[name] = node
        self._names[operation.name] = name


def _short(name: str) -> str:
    return name.removeprefix("InceptionResnetV1/")
