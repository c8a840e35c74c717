from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from checkpoints import onnx_file
from checkpoints.errors import ModelError
from checkpoints.onnx_file import Node, Value
from engines.prepare import PIXELS, check_outputs, pixels_shape, prepared, prepared_network, tensor_names
from engines.spec import EngineSpec
from tests.engines.small_nets import small_net, spec_of


@pytest.fixture
def spec(tmp_path: Path) -> EngineSpec:
    return spec_of(small_net().network(), tmp_path)


def _ops(spec: EngineSpec) -> list[str]:
    return [node.op for node in prepared_network(spec).nodes]


def test_the_input_is_rows_of_bytes(spec: EngineSpec) -> None:
    (value,) = prepared_network(spec).inputs
    assert (value.name, value.shape, value.dtype) == (PIXELS, (2, 8, 30), np.uint8)
    assert pixels_shape(spec) == value.shape
    (value,) = prepared_network(spec, any_shape=True).inputs
    assert value.shape == ("N", "H", "W3")


def test_bytes_are_cast_first(spec: EngineSpec) -> None:
    """TensorRT can do nothing else with them."""
    network = prepared_network(spec)
    assert [node.op for node in network.nodes if PIXELS in node.inputs] == ["Cast"]


def test_only_what_is_needed_is_done_to_the_picture(spec: EngineSpec) -> None:
    everything = ["Cast", "Reshape", "Sub", "Mul", "Transpose", "Conv"]
    assert _ops(spec)[:6] == everything
    plain = replace(spec, mean=(0.0, 0.0, 0.0), scale=(1.0, 1.0, 1.0), colour="BGR")
    assert _ops(plain)[:4] == ["Cast", "Reshape", "Transpose", "Conv"]


def test_an_nhwc_model_gets_no_transposition(tmp_path: Path) -> None:
    spec = spec_of(small_net("NHWC").network(), tmp_path, layout="NHWC")
    assert _ops(spec)[:5] == ["Cast", "Reshape", "Sub", "Mul", "Transpose"]  # this one is its own


def test_colours_are_exchanged_in_the_weights_where_that_can_be_done(tmp_path: Path) -> None:
    mean, scale = (100.0, 110.0, 120.0), (0.5, 0.25, 0.125)
    network = small_net().network()
    spec = replace(spec_of(network, tmp_path), mean=mean, scale=scale)
    constants = prepared_network(spec).constants
    np.testing.assert_array_equal(constants["facewire_input_2_constant"], np.array(mean[::-1], np.float32))
    np.testing.assert_array_equal(constants["facewire_input_3_constant"], np.array(scale[::-1], np.float32))
    network.nodes.insert(0, Node("Neg", [network.inputs[0].name], ["less"]))
    network.outputs.append(Value("less", network.inputs[0].shape))
    spec = replace(spec_of(network, tmp_path), mean=mean, scale=scale)
    assert _ops(spec)[:6] == ["Cast", "Reshape", "Gather", "Sub", "Mul", "Transpose"]
    constants = prepared_network(spec).constants
    np.testing.assert_array_equal(constants["facewire_input_3_constant"], np.array(mean, np.float32))


def test_quantisation_follows_right_behind_the_normalisation(tmp_path: Path) -> None:
    spec = spec_of(small_net(quantise=True).network(), tmp_path, precision="int8")
    assert _ops(spec)[2:8] == ["Sub", "Mul", "Transpose", "QuantizeLinear", "DequantizeLinear", "DequantizeLinear"]


def test_nodes_and_constants_of_other_outputs_are_cut_off(spec: EngineSpec) -> None:
    network = prepared_network(replace(spec, outputs=("vector",), log_odds=()))
    assert [value.name for value in network.outputs] == ["vector"]
    assert "Softmax" not in [node.op for node in network.nodes]
    assert "head" not in network.constants


def test_log_odds_replace_the_softmax(spec: EngineSpec) -> None:
    network = prepared_network(spec)
    assert "Softmax" not in [node.op for node in network.nodes]
    assert [value.name for value in network.outputs] == list(tensor_names(spec))
    assert tensor_names(spec) == ("boxes", "scores_log_odds", "vector")


def test_a_softmax_that_something_else_needs_stays(tmp_path: Path) -> None:
    network = small_net().network()
    network.nodes.append(Node("Neg", ["scores"], ["less"]))
    network.outputs.append(Value("less", ("N", "H", "W", 2)))
    spec = replace(spec_of(network, tmp_path), outputs=("scores", "less"))
    assert {"Softmax", "Neg", "MatMul"} <= set(_ops(spec))


@pytest.mark.parametrize(
    ("axis", "opset", "fits"), [(3, 17, True), (-1, 12, True), (1, 17, False), (None, 12, False), (None, 13, True)]
)
def test_only_a_softmax_over_the_last_dimension_has_log_odds(
    tmp_path: Path, axis: int | None, opset: int, fits: bool
) -> None:
    network = small_net().network()
    (softmax,) = (node for node in network.nodes if node.op == "Softmax")
    softmax.attributes = {} if axis is None else {"axis": axis}
    network.opset = opset
    spec = spec_of(network, tmp_path)
    if fits:
        prepared(spec)
    else:
        with pytest.raises(ModelError, match="not a softmax over the last"):
            prepared(spec)


def test_the_same_spec_gives_the_same_bytes(spec: EngineSpec) -> None:
    assert prepared(spec) == prepared(spec)
    assert onnx_file.write(onnx_file.read(prepared(spec))) == prepared(spec)


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (Value("picture", ("N", 3, 8)), "is needed"),
        (Value("picture", ("N", 1, 8, 10)), "is needed"),
        (Value("picture", ("N", 3, 112, 112)), "is needed"),
        (Value("picture", ("N", 3, 8, 10), np.dtype("u1")), "uint8"),
    ],
)
def test_an_input_that_takes_no_such_pictures_is_refused(tmp_path: Path, value: Value, told: str) -> None:
    network = small_net().network()
    network.inputs = [value]
    with pytest.raises(ModelError, match=told):
        prepared(spec_of(network, tmp_path))


def test_a_second_input_is_refused(tmp_path: Path) -> None:
    network = small_net().network()
    network.inputs.append(Value("size", (2,)))
    with pytest.raises(ModelError, match="picture, size"):
        prepared(spec_of(network, tmp_path))


def test_weights_that_are_listed_as_inputs_are_none(tmp_path: Path) -> None:
    network = small_net().network()
    network.inputs.append(Value("kernel", (4, 3, 3, 3)))
    assert [value.name for value in prepared_network(spec_of(network, tmp_path)).inputs] == [PIXELS]


def test_numbers_in_a_node_are_looked_at_too(tmp_path: Path) -> None:
    network = small_net().network()
    network.nodes.insert(0, Node("Constant", [], ["limit"], {"value": np.array([1, np.nan], np.float32)}))
    with pytest.raises(ModelError, match="the tensor limit"):
        prepared(spec_of(network, tmp_path))


def test_infinity_is_a_number(tmp_path: Path) -> None:
    """As the limit of a Clip it has a meaning."""
    network = small_net().network()
    network.constants["limit"] = np.array(np.inf, np.float32)
    prepared(spec_of(network, tmp_path))


@pytest.mark.parametrize("shape", [(1, 4), (8,), ()])
def test_outputs_have_a_row_for_each_picture(spec: EngineSpec, shape: tuple[int, ...]) -> None:
    only = replace(spec, outputs=("vector",))
    check_outputs(only, [(2, 4)])
    with pytest.raises(ModelError, match="for a batch of 2"):
        check_outputs(only, [shape])
