"""The conversions on tiny hand-made nets; test_proof.py compares them with what they were made from."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from checkpoints import onnx_file
from checkpoints.convert import CONVERSIONS, convert
from checkpoints.errors import ModelError
from checkpoints.onnx_file import Array, Network, Node, Value


def dequantised(constants: dict[str, Array], **attributes: int) -> Array:
    """What unpacking makes of DequantizeLinear(weights, scales, zeros) in front of a Conv."""
    inputs = [name for name in ("weights", "scales", "zeros") if name in constants]
    network = Network(
        nodes=[
            Node("DequantizeLinear", inputs, ["plain"], dict(attributes)),
            Node("MatMul", ["data", "plain"], ["out"]),
        ],
        constants=constants,
        inputs=[Value("data", (1, 4)), *(Value(name, constants[name].shape) for name in inputs)],
        outputs=[Value("out", (1, 6))],
        opset=21,
    )
    unpacked = onnx_file.read(convert("unpack", onnx_file.write(network), "tiny"))
    assert [node.op for node in unpacked.nodes] == ["MatMul"]
    assert list(unpacked.constants) == ["plain"]
    assert unpacked.inputs == [Value("data", ("N", 4))]
    assert unpacked.outputs == [Value("out", ("N", 6))]
    return unpacked.constants["plain"]


WEIGHTS = np.arange(-12, 12, dtype=np.int8).reshape(4, 6)


def test_blocks_are_stretched_along_their_axis_and_the_last_may_be_short() -> None:
    scales = np.array([[1, 10], [2, 20], [3, 30], [4, 40]], np.float32)
    zeros = np.array([[0, 1], [0, 1], [0, 1], [-5, 1]], np.int8)
    plain = dequantised({"weights": WEIGHTS, "scales": scales, "zeros": zeros}, axis=1, block_size=4)
    expected = np.empty((4, 6), np.float32)
    for row in range(4):
        for column in range(6):
            block = column // 4
            expected[row, column] = (float(WEIGHTS[row, column]) - zeros[row, block]) * scales[row, block]
    np.testing.assert_array_equal(plain, expected)


def test_blocks_along_the_first_axis() -> None:
    scales = np.arange(1, 13, dtype=np.float32).reshape(2, 6)
    plain = dequantised({"weights": WEIGHTS, "scales": scales}, axis=0, block_size=2)
    np.testing.assert_array_equal(plain[3], WEIGHTS[3] * scales[1])
    np.testing.assert_array_equal(plain[1], WEIGHTS[1] * scales[0])


def test_one_scale_for_each_column_or_row_or_for_all() -> None:
    columns = np.arange(6, dtype=np.float32)
    np.testing.assert_array_equal(dequantised({"weights": WEIGHTS, "scales": columns}), WEIGHTS * columns)
    rows = np.arange(4, dtype=np.float32)
    plain = dequantised({"weights": WEIGHTS, "scales": rows}, axis=0)
    np.testing.assert_array_equal(plain, WEIGHTS * rows[:, None])
    plain = dequantised({"weights": WEIGHTS, "scales": np.float32(0.5).reshape(()), "zeros": np.int8(2).reshape(())})
    np.testing.assert_array_equal(plain, (WEIGHTS - np.float32(2)) * np.float32(0.5))


def test_reshaped_constants_are_folded_and_the_batch_of_a_reshape_is_left_open() -> None:
    network = Network(
        nodes=[
            Node("Reshape", ["weights", "square"], ["kernel"]),
            Node("Conv", ["data", "kernel"], ["map"], {"kernel_shape": (2, 2)}),
            Node("Reshape", ["map", "rows"], ["out"]),
        ],
        constants={
            "weights": np.arange(8, dtype=np.float32).reshape(2, 4),
            "square": np.array([0, -1, 2, 2], np.int64),
            "rows": np.array([1, -1, 2], np.int64),
        },
        inputs=[Value("data", (1, 1, 6, 6))],
        outputs=[Value("out", (1, 25, 2))],
        opset=12,
    )
    unpacked = onnx_file.read(convert("unpack_any_size", onnx_file.write(network), "tiny"))
    assert [node.op for node in unpacked.nodes] == ["Conv", "Reshape"]
    np.testing.assert_array_equal(unpacked.constants["kernel"], np.arange(8).reshape(2, 1, 2, 2))
    np.testing.assert_array_equal(unpacked.constants["rows"], [0, -1, 2])
    assert unpacked.inputs[0].shape == ("N", 1, "H", "W")
    assert unpacked.outputs[0].shape == ("N", "cells_0", 2)


@pytest.mark.parametrize("conversion", sorted(CONVERSIONS))
@pytest.mark.parametrize("raw", [b"", b"<html>no network here</html>", b"\x12\x7f"])
def test_what_is_no_network_is_refused_and_named(conversion: str, raw: bytes) -> None:
    with pytest.raises(ModelError, match=r"net\.onnx cannot be converted"):
        convert(conversion, raw, "net.onnx")


def test_an_unknown_conversion_is_refused() -> None:
    with pytest.raises(ModelError, match="does not exist") as caught:
        convert("sideways", b"", "net.onnx")
    assert caught.value.fix is not None
    assert "upright" in caught.value.fix


def test_opencv_runs_an_unpacked_net() -> None:
    network = Network(
        nodes=[
            Node("DequantizeLinear", ["weights", "scales"], ["plain"], {"axis": 1, "block_size": 3}),
            Node("MatMul", ["data", "plain"], ["out"]),
        ],
        constants={"weights": WEIGHTS, "scales": np.full((4, 2), 0.5, np.float32)},
        inputs=[Value("data", (1, 4))],
        outputs=[Value("out", (1, 6))],
        opset=21,
    )
    raw = convert("unpack", onnx_file.write(network), "tiny")
    net = cv2.dnn.readNetFromONNX(np.frombuffer(raw, np.uint8))
    data = np.array([[1, -2, 3, 0.5]], np.float32)
    net.setInput(data)
    np.testing.assert_allclose(net.forward(), data @ (WEIGHTS * np.float32(0.5)), rtol=1e-5)
