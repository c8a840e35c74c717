from __future__ import annotations

import logging
import sys
from pathlib import Path

import numpy as np
import pytest

from checkpoints import onnx_file
from checkpoints.errors import ModelError
from engines import cuda
from engines.cuda import Device
from engines.options import Precision
from engines.tensorrt_build import Span, build
from tests.engines.fake_cuda import FakeGpu
from tests.engines.runtimes import fake_machine
from tests.engines.small_nets import small_net, spec_of

VERSIONS = ("8.6.1", "10.3.0", "10.16.1", "11.4.0")


def _device() -> Device:
    return cuda.open_cuda().device()


@pytest.mark.parametrize(
    ("precision", "quantise", "flags"),
    [
        ("fp32", False, []),
        ("fp16", False, ["FP16", "TF32"]),
        ("int8", True, ["FP16", "INT8", "TF32"]),
        ("int8", False, ["FP16", "TF32"]),  # INT8 without quantisation nodes would ask for a calibrator
    ],
)
def test_tensorrt_8_is_told_which_precisions_it_may_use(
    tmp_path: Path, precision: Precision, quantise: bool, flags: list[str]
) -> None:
    with fake_machine("8.6.1", "cuda.bindings") as runtime:
        build(spec_of(small_net(quantise=quantise).network(), tmp_path, precision=precision), _device(), tmp_path)
        assert runtime.trt.built[0]["flags"] == flags
        assert not runtime.trt.built[0]["typed"]


@pytest.mark.parametrize("version", VERSIONS[1:])
@pytest.mark.parametrize(("precision", "quantise"), [("fp32", False), ("fp16", False), ("int8", True), ("int8", False)])
def test_later_ones_read_the_precisions_from_the_file(
    tmp_path: Path, version: str, precision: Precision, quantise: bool
) -> None:
    spec = spec_of(small_net(quantise=quantise).network(), tmp_path, precision=precision)
    with fake_machine(version, "cuda.bindings") as runtime:
        plan = build(spec, _device(), tmp_path)
        (made,) = runtime.trt.built
    assert made["typed"]
    assert made["flags"] == ([] if precision == "fp32" else ["TF32"])
    network = onnx_file.read(plan.partition(b"\n")[2])
    in_half = precision != "fp32" and not quantise
    assert any(array.dtype == np.float16 for array in network.constants.values()) == in_half
    assert any(node.op == "QuantizeLinear" for node in network.nodes) == quantise


def test_a_small_gpu_keeps_half_of_its_memory_for_the_rest(tmp_path: Path) -> None:
    gpu = FakeGpu()
    gpu.free_bytes = 300 << 20
    with fake_machine("10.3.0", "cuda.bindings", gpu) as runtime:
        build(spec_of(small_net().network(), tmp_path), _device(), tmp_path)
        assert runtime.trt.built[0]["workspace_bytes"] == 150 << 20


def test_timings_are_kept_for_the_next_plan(tmp_path: Path) -> None:
    spec = spec_of(small_net().network(), tmp_path)
    with fake_machine("10.3.0", "cuda.bindings") as runtime:
        build(spec, _device(), tmp_path)
        build(spec, _device(), tmp_path)
        assert [made["timings"] for made in runtime.trt.built] == [b"measured;", b"measured;measured;"]
    (kept,) = tmp_path.glob("*.timings")
    assert "10.3.0" in kept.name
    with fake_machine("10.3.0", "cuda.bindings", FakeGpu("NVIDIA RTX / A")) as runtime:
        build(spec, _device(), tmp_path)
        assert runtime.trt.built[0]["timings"] == b"measured;"


def test_damaged_timings_are_measured_again_and_said_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    spec = spec_of(small_net().network(), tmp_path)
    with fake_machine("10.3.0", "cuda.bindings") as runtime:
        build(spec, _device(), tmp_path)
        (kept,) = tmp_path.glob("*.timings")
        kept.write_bytes(kept.read_bytes()[:-1] + b"?")
        with caplog.at_level(logging.WARNING):
            build(spec, _device(), tmp_path)
        assert runtime.trt.built[1]["timings"] == b"measured;"
    assert str(kept) in caplog.text


@pytest.mark.parametrize("version", VERSIONS)
def test_it_says_that_the_first_time_takes_minutes(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, version: str
) -> None:
    with fake_machine(version, "cuda.bindings"), caplog.at_level(logging.WARNING):
        build(spec_of(small_net().network(), tmp_path), _device(), tmp_path)
    before, after = (record.getMessage() for record in caplog.records)
    assert "small_net 2 × 10×8 (fp32)" in before and "minutes, the first time only" in before
    assert after.startswith("TensorRT has built small_net")


def test_ctrl_c_stops_a_build_at_the_next_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Inside TensorRT it would fly through code that is not Python."""
    from engines import tensorrt_build

    class Bar:
        n = 0

        def __init__(self, **_: object) -> None: ...

        def update(self, steps: int) -> None:
            raise KeyboardInterrupt

        def close(self) -> None: ...

    monkeypatch.setattr(tensorrt_build, "tqdm", Bar)
    with fake_machine("10.3.0", "cuda.bindings") as runtime:
        with pytest.raises(KeyboardInterrupt):
            build(spec_of(small_net().network(), tmp_path), _device(), tmp_path)
        assert runtime.trt.built == []


@pytest.mark.parametrize("version", VERSIONS)
def test_what_the_parser_refuses_is_told_in_its_words(tmp_path: Path, version: str) -> None:
    network = small_net().network()
    network.nodes[0].op = "Konvolution"
    spec = spec_of(network, tmp_path)
    with fake_machine(version, "cuda.bindings"), pytest.raises(ModelError, match="TensorRT cannot build") as caught:
        build(spec, _device(), tmp_path)
    assert "Konvolution" in str(caught.value)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_build_that_fails_is_told_with_the_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    spec = spec_of(small_net().network(), tmp_path)
    with fake_machine(version, "cuda.bindings"):
        trt = sys.modules["tensorrt"]

        def fail(self: object, network: object, config: object) -> None:
            self._logger.log(trt.ILogger.WARNING, "a warning")  # type: ignore[attr-defined]
            self._logger.log(trt.ILogger.ERROR, "no implementation for node conv_1")  # type: ignore[attr-defined]

        monkeypatch.setattr(trt.Builder, "build_serialized_network", fail)
        with pytest.raises(ModelError) as caught:
            build(spec, _device(), tmp_path)
    assert "no implementation for node conv_1" in str(caught.value) and "a warning" not in str(caught.value)
    assert not list(tmp_path.glob("*.timings"))


def test_a_span_the_wrong_way_round_is_a_mistake_of_the_caller(tmp_path: Path) -> None:
    span = Span((4, 8, 8, 3), (2, 8, 8, 3), (1, 8, 8, 3))
    with fake_machine("10.3.0", "cuda.bindings"), pytest.raises(ValueError, match="no network has the shapes"):
        build(spec_of(small_net().network(), tmp_path), _device(), tmp_path, span)
