from __future__ import annotations

import cv2
import numpy as np
import pytest

from checkpoints import onnx_file, protobuf
from checkpoints.onnx_file import Network, Node, Value
from checkpoints.protobuf import ProtobufError


def small_network() -> Network:
    weights = np.arange(2 * 3 * 3 * 3, dtype=np.float32).reshape(2, 3, 3, 3) / 10
    convolution = {"kernel_shape": (3, 3), "strides": (1, 1), "auto_pad": "VALID", "group": 1}
    return Network(
        nodes=[
            Node("Conv", ["picture", "weights", "bias"], ["map"], dict(convolution)),
            Node("LeakyRelu", ["map"], ["out"], {"alpha": 0.25}),
        ],
        constants={"weights": weights, "bias": np.array([1, -1], np.float32)},
        inputs=[Value("picture", ("N", 3, 5, 5))],
        outputs=[Value("out", ("N", 2, 3, 3))],
        opset=12,
    )


def test_a_network_comes_back_as_it_was() -> None:
    network = small_network()
    again = onnx_file.read(onnx_file.write(network))
    assert again.nodes == network.nodes
    assert (again.inputs, again.outputs, again.opset) == (network.inputs, network.outputs, 12)
    assert list(again.constants) == ["weights", "bias"]
    for name, array in network.constants.items():
        np.testing.assert_array_equal(again.constants[name], array)


def test_writing_is_the_same_every_time() -> None:
    assert onnx_file.write(small_network()) == onnx_file.write(onnx_file.read(onnx_file.write(small_network())))


@pytest.mark.parametrize("dtype", ["f4", "f8", "i1", "u1", "i4", "i8"])
@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (0, 4)])
def test_constants_keep_type_and_shape(dtype: str, shape: tuple[int, ...]) -> None:
    network = small_network()
    network.constants["extra"] = np.full(shape, 3, dtype)
    extra = onnx_file.read(onnx_file.write(network)).constants["extra"]
    assert (extra.dtype, extra.shape) == (np.dtype(dtype), shape)
    assert (extra == 3).all()


def test_big_endian_arrays_are_written_like_others() -> None:
    one, other = small_network(), small_network()
    other.constants["weights"] = other.constants["weights"].astype(">f4")
    assert onnx_file.write(one) == onnx_file.write(other)


def test_attributes_of_all_kinds_come_back() -> None:
    attributes: dict[str, onnx_file.Attribute] = {
        "whole": -3, "zero": 0, "real": 0.5, "text": "floor", "sizes": (2, -1), "scales": (0.5, 2.0), "none": (),
    }  # fmt: skip
    network = small_network()
    network.nodes.append(Node("Odd", ["out"], ["odd"], dict(attributes, tensor=np.array([1, 2], np.int64))))
    read = onnx_file.read(onnx_file.write(network)).nodes[-1].attributes
    tensor = read.pop("tensor")
    assert read == attributes
    np.testing.assert_array_equal(tensor, [1, 2])


def test_numbers_that_are_not_raw_are_read() -> None:
    floats = [protobuf.integer(1, 2), protobuf.integer(2, 1), protobuf.data(4, np.array([0.5, 2], "<f4").tobytes())]
    whole = [protobuf.data(1, b"\x01\x02"), protobuf.integer(2, 7), protobuf.integer(7, 9), protobuf.integer(7, -1)]
    graph = [
        protobuf.message(5, [*floats, protobuf.text(8, "floats")]),
        protobuf.message(5, [*whole, protobuf.text(8, "whole")]),
    ]
    constants = onnx_file.read(protobuf.write([protobuf.message(7, graph)])).constants
    np.testing.assert_array_equal(constants["floats"], np.array([0.5, 2], np.float32))
    np.testing.assert_array_equal(constants["whole"], np.array([[9, -1]]))


def test_opencv_reads_what_is_written_and_computes_the_same() -> None:
    picture = np.random.default_rng(1).uniform(-1, 1, (1, 3, 5, 5)).astype(np.float32)
    net = cv2.dnn.readNetFromONNX(np.frombuffer(onnx_file.write(small_network()), np.uint8))
    net.setInput(picture)
    constants = small_network().constants
    expected = np.empty((1, 2, 3, 3), np.float32)
    for row in range(3):
        for column in range(3):
            window = picture[0, :, row : row + 3, column : column + 3]
            expected[0, :, row, column] = (constants["weights"] * window).sum((1, 2, 3)) + constants["bias"]
    expected = np.where(expected > 0, expected, 0.25 * expected)
    np.testing.assert_allclose(net.forward(), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("graph", "reason"),
    [
        ([protobuf.message(15, [])], "sparse"),
        ([protobuf.message(1, [protobuf.text(4, "Conv"), protobuf.text(7, "com.acme")])], "operators of com.acme"),
        ([protobuf.message(5, [protobuf.integer(2, 16), protobuf.text(8, "bf16")])], "bf16 has elements of type 16"),
        ([protobuf.message(5, [protobuf.integer(1, 4), protobuf.integer(2, 1)])], "holds 0 bytes"),
        ([protobuf.message(1, [protobuf.message(5, [protobuf.text(1, "body"), protobuf.integer(20, 5)])])], "body"),
    ],
)
def test_what_is_not_understood_is_refused(graph: list[protobuf.Field], reason: str) -> None:
    with pytest.raises(ProtobufError, match=reason):
        onnx_file.read(protobuf.write([protobuf.message(7, graph)]))


def test_another_set_of_operators_is_refused() -> None:
    model = [protobuf.message(7, []), protobuf.message(8, [protobuf.text(1, "ai.onnx.ml"), protobuf.integer(2, 3)])]
    with pytest.raises(ProtobufError, match=r"operators of ai\.onnx\.ml"):
        onnx_file.read(protobuf.write(model))


def test_a_file_without_a_network_is_refused() -> None:
    with pytest.raises(ProtobufError, match="here are 0"):
        onnx_file.read(protobuf.write([protobuf.integer(1, 7)]))
