"""Files that round themselves and give log odds, as training writes them, on every runtime and in every precision."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from checkpoints import onnx_file
from checkpoints.errors import ModelError
from engines import load
from engines.detector import Detector
from engines.drift import DetectorDrift
from engines.load import load_detector
from engines.models import Model, detector_model
from engines.options import EngineOptions, Precision
from engines.prepare import prepared_network
from engines.spec import EngineSpec
from engines.uint8_rewrite import is_quantised, widened
from tests.engines.planted_cascade import LEAST, POINTS, STEEPNESS, STEP, planted_cascade
from tests.engines.runtimes import NAMES, RuntimeUnderTest, runtime_named
from tests.engines.small_nets import small_net, spec_of

GREY = 203  # lies between two steps


@pytest.fixture(params=NAMES)
def runtime(request: pytest.FixtureRequest) -> Iterator[RuntimeUnderTest]:
    with runtime_named(request.param) as runtime:
        yield runtime


@pytest.fixture
def bright(tmp_path: Path, options: EngineOptions) -> EngineOptions:
    """Options that name the planted cascade, with a cache of its own."""
    return replace(options, detector=str(planted_cascade(tmp_path)), cache=tmp_path / "engines")


def _spec(config: EngineOptions, part: str, precision: Precision) -> EngineSpec:
    size_wh = (32, 16) if part == "pnet" else None
    config = replace(config, precision=precision)
    return detector_model(config).spec(config, part, ("log_odds", "boxes"), batch=2, size_wh=size_wh)


@pytest.mark.parametrize("part", ["pnet", "rnet", "onet"])
@pytest.mark.parametrize("precision", ["int8", "fp16", "fp32"])
def test_int8_rounds_and_the_others_do_not(
    runtime: RuntimeUnderTest, bright: EngineOptions, part: str, precision: Precision
) -> None:
    spec = _spec(bright, part, precision)
    engine = runtime.open(spec, bright.cache)
    odds, boxes = engine.run(np.full(spec.input_shape, GREY, np.uint8))
    mean = (GREY - 128) / 128
    if precision == "int8":
        mean = STEP * round(mean / STEP)
    assert odds.shape == ((2, 3, 11, 1) if part == "pnet" else (2, 1))
    assert boxes.shape[-1] == 4
    # The step makes a difference of 0.9; what is left is bf16.
    np.testing.assert_allclose(odds, STEEPNESS * (mean - LEAST), atol=0.15 if precision == "fp16" else 1e-2)


def test_each_precision_has_its_own_engine_of_the_one_file(runtime: RuntimeUnderTest, bright: EngineOptions) -> None:
    specs = [_spec(bright, "rnet", precision) for precision in ("int8", "fp16", "fp32")]  # type: ignore[arg-type]
    assert len({spec.sha256 for spec in specs}) == 1
    answers = [
        float(runtime.open(spec, bright.cache).run(np.full(spec.input_shape, GREY, np.uint8))[0][0, 0])
        for spec in specs
    ]
    assert abs(answers[0] - answers[2]) > 0.5
    assert abs(answers[1] - answers[2]) < 0.15


def test_weights_stay_rounded_when_the_pairs_go(runtime: RuntimeUnderTest, tmp_path: Path) -> None:
    """The numbers are those of plain arithmetic with the rounded kernel."""
    net = small_net(quantise=True)
    scales = np.abs(net.kernel).max(axis=(1, 2, 3), keepdims=True) / 127
    spec = replace(spec_of(net.network(), tmp_path), pairs=True)
    pictures = np.random.default_rng(4).integers(0, 256, spec.input_shape, np.uint8)
    engine = runtime.open(spec, tmp_path)
    rounded = replace(net, kernel=np.round(net.kernel / scales) * scales, quantise=False)
    expected = rounded.compute((pictures[..., ::-1].astype(np.float64) - spec.mean) * spec.scale)
    for name, output in zip(spec.outputs, engine.run(pictures), strict=True):
        np.testing.assert_allclose(output, expected[name], atol=1e-5)


def test_nothing_of_the_pairs_is_left(bright: EngineOptions) -> None:
    for precision, rounds in (("int8", True), ("fp16", False), ("fp32", False)):
        network = prepared_network(_spec(bright, "onet", precision))  # type: ignore[arg-type]
        assert is_quantised(network) == rounds
        assert any(array.dtype == np.int8 for array in network.constants.values()) == rounds


def test_a_file_that_does_not_promise_pairs_runs_as_it_is(tmp_path: Path) -> None:
    spec = spec_of(small_net(quantise=True).network(), tmp_path)
    assert is_quantised(prepared_network(spec))


def test_outputs_that_are_rounded_keep_their_names_and_zero_points_may_be_left_out() -> None:
    network = small_net(quantise=True).network()
    for node in network.nodes:
        if node.outputs == ["kernel_dq"]:
            node.inputs.pop()
    network.outputs[2] = replace(network.outputs[2], name="boxes_dq")
    plain = widened(network)
    assert not is_quantised(plain)
    assert [node.op for node in plain.nodes if "boxes_dq" in node.outputs] == ["Identity"]
    scales = network.constants["kernel_scale"].astype(np.float32)[:, None, None, None]
    np.testing.assert_array_equal(plain.constants["kernel_dq"], network.constants["kernel"].astype(np.float32) * scales)


def _picture() -> NDArray[np.uint8]:
    picture = np.full((180, 320, 3), 90, np.uint8)
    picture[60:120, 100:160] = 250
    return picture


def _found(detector: Detector) -> None:
    """The bright square, by whichever windows lie inside of it."""
    (faces,) = detector.detect([_picture()])
    assert len(faces) >= 1
    box = faces.boxes_xyxy[0]
    assert np.all(box[:2] > (90, 50))
    assert np.all(box[2:] < (170, 130))
    xs, ys = np.array(POINTS).reshape(2, 5)
    np.testing.assert_allclose(faces.landmarks[0, :, 0], box[0] + xs * (box[2] - box[0]), atol=1e-3)
    np.testing.assert_allclose(faces.landmarks[0, :, 1], box[1] + ys * (box[3] - box[1]), atol=1e-3)


def test_the_cascade_finds_what_is_bright_in_int8_as_in_fp32(
    bright: EngineOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Steps as coarse as these fail at the gate, so its figures are looked at, not its verdict."""
    drifts: list[DetectorDrift] = []

    def told(model: Model, config: EngineOptions, measure: Callable[[EngineOptions], DetectorDrift]) -> None:
        if config.precision != "fp32":
            drifts.append(measure(replace(config, precision="fp32")))

    monkeypatch.setattr(load.gate, "ensure", told)
    for precision in ("fp32", "int8"):
        detector = load_detector(replace(bright, precision=precision), size_wh=(320, 180))  # type: ignore[arg-type]
        _found(detector)
        detector.close()
    assert [drift.missed for drift in drifts] == [0]


def test_a_cascade_that_rounding_harms_is_not_used_in_int8(bright: EngineOptions) -> None:
    with pytest.raises(ModelError, match="does not give what it gives in fp32") as caught:
        load_detector(replace(bright, precision="int8"), size_wh=(320, 180))
    assert "1 faces, 0 not found by both, least IoU 0.69" in str(caught.value.saw)


def test_any_file_of_it_names_it_if_the_manifest_lies_beside(tmp_path: Path, options: EngineOptions) -> None:
    path = planted_cascade(tmp_path)
    path.rename(tmp_path / "bright_onet.json")
    by_file = detector_model(replace(options, detector=str(tmp_path / "bright_onet.onnx")))
    assert by_file.known.file("pnet").pairs
    assert pickle.loads(pickle.dumps(by_file)) == by_file
    with pytest.raises(ModelError, match="no such manifest"):
        detector_model(replace(options, detector=str(path)))


def test_a_promise_of_pairs_beside_another_file_is_refused(tmp_path: Path, options: EngineOptions) -> None:
    path = planted_cascade(tmp_path)
    content = json.loads(path.read_text())
    content["files"][1]["int8"] = {"name": "a.onnx", "sha256": "0" * 64, "ranges": "a"}
    content["files"][2]["pairs"] = "yes"
    path.write_text(json.dumps(content))
    with pytest.raises(ModelError) as caught:
        detector_model(replace(options, detector=str(path)))
    assert str(caught.value.saw).splitlines() == [
        "files[1].pairs: must be false where int8 names another file, is True",
        "files[2].pairs: must be true or false, is 'yes'",
    ]


def test_log_odds_that_are_exchanged_for_the_boxes_are_refused(tmp_path: Path, options: EngineOptions) -> None:
    path = planted_cascade(tmp_path)
    content = json.loads(path.read_text())
    content["files"][1]["outputs"] = {"log_odds": "boxes", "boxes": "log_odds"}
    path.write_text(json.dumps(content))
    with pytest.raises(ModelError, match="bright_rnet does not give what its manifest says"):
        load_detector(replace(options, detector=str(path)), size_wh=(320, 180))
    assert onnx_file.read((tmp_path / "bright_rnet.onnx").read_bytes()).outputs[0].name == "log_odds"
