"""A small graph of each operation of FaceNet's, converted and run beside OpenVINO's own reader of such graphs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import openvino
import pytest
from numpy.typing import NDArray

from checkpoints import onnx_file, protobuf, tensorflow_graph, tensorflow_net
from checkpoints.protobuf import Field, ProtobufError

DTYPES = {np.dtype(np.float32): 1, np.dtype(np.int32): 3}


def attribute(name: str, value: Field) -> Field:
    return protobuf.message(5, [protobuf.text(1, name), protobuf.message(2, [value])])


def sizes(shape: tuple[int, ...]) -> list[Field]:
    return [protobuf.message(2, [protobuf.integer(1, size)]) for size in shape]


def constant(name: str, array: NDArray[np.generic]) -> Field:
    shape = protobuf.message(2, sizes(array.shape))
    code = DTYPES[array.dtype]
    tensor = [protobuf.integer(1, code), shape, protobuf.data(4, array.tobytes())]
    fields = [protobuf.text(1, name), protobuf.text(2, "Const"), attribute("dtype", protobuf.integer(6, code))]
    return protobuf.message(1, [*fields, attribute("value", protobuf.message(8, tensor))])


def operation(name: str, op: str, *inputs: str, **attributes: Field) -> Field:
    fields = [protobuf.text(1, name), protobuf.text(2, op), *(protobuf.text(3, one) for one in inputs)]
    fields.append(attribute("T", protobuf.integer(6, 1)))
    return protobuf.message(1, fields + [attribute(*one) for one in attributes.items()])


def numbers(*values: int) -> Field:
    return protobuf.message(1, [protobuf.data(3, bytes(values))])


def padding(text: str) -> Field:
    return protobuf.text(2, text)


def placeholder(side: int) -> Field:
    fields = [protobuf.text(1, "input"), protobuf.text(2, "Placeholder"), attribute("dtype", protobuf.integer(6, 1))]
    return protobuf.message(1, [*fields, attribute("shape", protobuf.message(7, sizes((1, side, side, 3))))])


def window(size: int, stride: int) -> dict[str, Field]:
    return {"ksize": numbers(1, size, size, 1), "strides": numbers(1, stride, stride, 1), "padding": padding("VALID")}


def small_graph() -> list[Field]:
    random = np.random.default_rng(2)

    def weights(*shape: int) -> NDArray[np.float32]:
        return random.normal(0, 0.4, shape).astype(np.float32)

    plain, halved = numbers(1, 1, 1, 1), numbers(1, 2, 2, 1)
    epsilon = Field(4, protobuf.Wire.FIXED32, np.float32(0.001).tobytes())
    return [
        placeholder(13),
        constant("k1", weights(3, 3, 3, 8)), constant("b1", weights(8)),
        operation("conv1", "Conv2D", "input:0", "k1", strides=halved, padding=padding("VALID")),
        operation("bias1", "BiasAdd", "conv1", "b1"),
        operation("relu1", "Relu", "bias1"),
        constant("k2", weights(1, 3, 8, 5)), constant("k3", weights(3, 1, 8, 3)), constant("b3", weights(3)),
        operation("conv2", "Conv2D", "relu1", "k2", strides=plain, padding=padding("SAME")),
        operation("conv3", "Conv2D", "relu1", "k3", strides=plain, padding=padding("SAME")),
        operation("bias3", "BiasAdd", "conv3", "b3"),
        constant("axis", np.int32(3).reshape(())),
        operation("joined", "ConcatV2", "conv2", "bias3", "axis", N=protobuf.integer(3, 2)),
        constant("k4", weights(1, 1, 8, 8)), constant("b4", weights(8)),
        constant("share", np.float32(0.17).reshape(())),
        operation("conv4", "Conv2D", "joined", "k4", strides=plain, padding=padding("SAME")),
        operation("bias4", "BiasAdd", "conv4", "b4"),
        operation("scaled", "Mul", "share", "bias4"),
        operation("sum", "Add", "relu1", "scaled"),
        operation("pooled", "MaxPool", "sum", **window(2, 2)),
        operation("mean", "AvgPool", "pooled", **window(3, 1)),
        constant("flat_shape", np.array([1, 8], np.int32)), constant("dense_weights", weights(8, 6)),
        operation("flat", "Reshape", "mean", "flat_shape"),
        operation("dense", "MatMul", "flat", "dense_weights"),
        constant("as_map", np.array([1, 1, 1, 6], np.int32)), constant("as_vector", np.array([1, 6], np.int32)),
        constant("gamma", 1 + weights(6)), constant("beta", weights(6)),
        constant("average", weights(6)), constant("variance", weights(6) ** 2 + np.float32(0.1)),
        operation("map", "Reshape", "dense", "as_map"),
        operation("normal", "FusedBatchNorm", "map", "gamma", "beta", "average", "variance", epsilon=epsilon,
                  is_training=protobuf.integer(5, 0)),
        operation("vector", "Reshape", "normal", "as_vector"),
        constant("over", np.array([1], np.int32)), constant("least", np.float32(1e-10).reshape(())),
        operation("square", "Square", "vector"),
        operation("power", "Sum", "square", "over", keep_dims=protobuf.integer(5, 1)),
        operation("not_zero", "Maximum", "power", "least"),
        operation("one_over_length", "Rsqrt", "not_zero"),
        operation("unit", "Mul", "vector", "one_over_length"),
    ]  # fmt: skip


def run(path: Path, pictures: NDArray[np.float32]) -> NDArray[np.float32]:
    core = openvino.Core()
    settings = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1}
    found: NDArray[np.float32] = core.compile_model(core.read_model(path), "CPU", settings)(pictures)[0]
    return found.copy()


def unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    lengths: NDArray[np.float32] = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / lengths


def test_the_network_computes_what_the_graph_does(tmp_path: Path) -> None:
    raw = protobuf.write(small_graph())
    published, converted = tmp_path / "small.pb", tmp_path / "small.onnx"
    published.write_bytes(raw)
    converted.write_bytes(onnx_file.write(tensorflow_net.network(raw)))
    pictures = np.random.default_rng(3).normal(size=(4, 13, 13, 3)).astype(np.float32)
    expected = np.concatenate([run(published, pictures[i : i + 1]) for i in range(4)])
    assert np.ptp(expected, axis=0).min() > 0.01
    found = run(converted, np.ascontiguousarray(pictures.transpose(0, 3, 1, 2)))
    np.testing.assert_allclose(unit(found), expected, atol=1e-6)


def test_the_network_is_made_of_plain_layers() -> None:
    network = tensorflow_net.network(protobuf.write(small_graph()))
    assert [node.op for node in network.nodes] == [
        "Conv", "Relu", "Conv", "Conv", "Concat", "Conv", "Add", "MaxPool", "GlobalAveragePool", "Flatten", "Gemm",
    ]  # fmt: skip
    assert network.inputs[0].shape == ("N", 3, 13, 13)
    assert network.outputs == [onnx_file.Value("embedding", ("N", 6))]
    assert network.opset == 17


def test_the_order_of_the_file_does_not_matter() -> None:
    graph = small_graph()
    names = [one.name for one in tensorflow_graph.read(protobuf.write(graph[::-1]))]
    assert names.index("conv1") < names.index("bias1") < names.index("relu1")
    upside_down = tensorflow_net.network(protobuf.write(graph[::-1]))
    straight = tensorflow_net.network(protobuf.write(graph))
    assert {node.outputs[0] for node in upside_down.nodes} == {node.outputs[0] for node in straight.nodes}


def test_an_input_that_only_waits_is_no_input() -> None:
    graph = [placeholder(4), operation("relu", "Relu", "input:0", "^other")]
    assert tensorflow_graph.read(protobuf.write(graph))[1].inputs == ("input",)


def with_change(change: Callable[[dict[str, Field]], None]) -> bytes:
    graph = small_graph()
    by_name = {protobuf.read(field.data)[0].data.decode(): field for field in graph}
    change(by_name)
    return protobuf.write(by_name.values())


REFUSED: list[tuple[str, Field, str]] = [
    ("relu1", operation("relu1", "Elu", "bias1"), "the operation Elu is not known"),
    ("relu1", operation("relu1", "Relu", "nobody"), "relu1 reads nobody, which is not there"),
    ("relu1", operation("relu1", "Relu", "sum"), "waits for it"),
    ("scaled", operation("scaled", "Mul", "bias4", "relu1"), "multiplies two maps"),
    ("bias3", operation("bias3", "BiasAdd", "relu1", "b3"), "does not follow a convolution"),
    ("unit", operation("unit", "Mul", "least", "relu1"), "does not follow a convolution"),
    ("mean", operation("mean", "AvgPool", "pooled", **window(2, 1)), "mean of the whole map"),
    ("normal", operation("normal", "FusedBatchNorm", "map", "gamma", "beta", "average", "variance"), "each batch"),
    ("flat", operation("flat", "Reshape", "pooled", "flat_shape"), "mix places and channels"),
    ("axis", constant("axis", np.int32(1).reshape(())), "does not join channels"),
    (
        "conv1",
        operation("conv1", "Conv2D", "input", "k1", strides=numbers(1, 2, 2, 1), padding=padding("SAME")),
        "lopsided",
    ),
]


@pytest.mark.parametrize(("name", "instead", "reason"), REFUSED)
def test_what_would_mean_something_else_is_refused(name: str, instead: Field, reason: str) -> None:
    raw = with_change(lambda graph: graph.update({name: instead}))
    with pytest.raises(ProtobufError, match=reason):
        tensorflow_net.network(raw)


def test_a_graph_that_ends_elsewhere_is_refused() -> None:
    raw = protobuf.write([placeholder(4), operation("relu", "Relu", "input")])
    with pytest.raises(ProtobufError, match="does not end in a dense layer"):
        tensorflow_net.network(raw)
