from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from checkpoints.errors import ModelError, SettingsError
from engines import cuda, tensorrt_engine
from engines.blob import HEADER_BYTES, write_blob
from engines.spec import EngineSpec
from engines.tensorrt_build import Span
from tests.engines.fake_cuda import FakeGpu
from tests.engines.runtimes import RuntimeUnderTest, fake_machine
from tests.engines.small_nets import small_net, spec_of


@pytest.fixture
def spec(tmp_path: Path) -> EngineSpec:
    return spec_of(small_net().network(), tmp_path)


@pytest.fixture
def jetson() -> Iterator[RuntimeUnderTest]:
    with fake_machine("10.3.0", "cuda.bindings") as runtime:
        yield runtime


def _noise(spec: EngineSpec) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, spec.input_shape, np.uint8)


def _plan(cache: Path) -> Path:
    (path,) = cache.glob("*.tensorrt")
    return path


def _warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if "cannot be used" in record.getMessage()]


def test_a_plan_is_built_once(jetson: RuntimeUnderTest, spec: EngineSpec, tmp_path: Path) -> None:
    assert not jetson.is_cached(spec, tmp_path)
    for _ in range(2):
        jetson.open(spec, tmp_path)
        assert jetson.is_cached(spec, tmp_path)
    assert len(jetson.trt.built) == 1


def test_threads_and_the_place_of_the_model_make_no_other_plan(
    jetson: RuntimeUnderTest, spec: EngineSpec, tmp_path: Path
) -> None:
    jetson.open(spec, tmp_path)
    copy = tmp_path / "copy.onnx"
    copy.write_bytes(spec.model.read_bytes())
    assert jetson.is_cached(replace(spec, model=copy, threads=4), tmp_path)


@pytest.mark.parametrize(
    "change", [{"batch": 1}, {"precision": "fp16"}, {"sha256": "0" * 64}, {"mean": (1.0, 2.0, 3.0)}]
)
def test_another_engine_is_another_plan(
    jetson: RuntimeUnderTest, spec: EngineSpec, tmp_path: Path, change: dict[str, object]
) -> None:
    jetson.open(spec, tmp_path)
    assert not jetson.is_cached(replace(spec, **change), tmp_path)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("version", "gpu"),
    [
        ("10.16.1", FakeGpu()),
        ("8.6.1", FakeGpu()),
        ("10.3.0", FakeGpu(name="Another GPU")),
        ("10.3.0", FakeGpu(capability=(9, 0))),
    ],
    ids=["newer", "older", "name", "capability"],
)
def test_a_plan_of_another_tensorrt_or_gpu_is_built_again_and_said_so(
    spec: EngineSpec, tmp_path: Path, caplog: pytest.LogCaptureFixture, version: str, gpu: FakeGpu
) -> None:
    with fake_machine("10.3.0", "cuda.bindings") as first:
        first.open(spec, tmp_path)
    plan = _plan(tmp_path)
    with fake_machine(version, "cuda.bindings", gpu) as second, caplog.at_level(logging.WARNING):
        assert not second.is_cached(spec, tmp_path)
        second.open(spec, tmp_path).run(_noise(spec))
        assert len(second.trt.built) == 1
        assert second.is_cached(spec, tmp_path)
    assert _plan(tmp_path) == plan
    (told,) = _warnings(caplog)
    assert str(plan) in told and "another model, machine or version" in told


@pytest.mark.parametrize("damage", ["cut", "byte", "foreign", "header only"])
def test_a_damaged_plan_is_never_loaded(
    jetson: RuntimeUnderTest, spec: EngineSpec, tmp_path: Path, caplog: pytest.LogCaptureFixture, damage: str
) -> None:
    jetson.open(spec, tmp_path)
    path = _plan(tmp_path)
    content = path.read_bytes()
    if damage == "cut":
        path.write_bytes(content[: HEADER_BYTES + 100])
    elif damage == "byte":
        path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    elif damage == "foreign":
        write_blob(path, "key", content[HEADER_BYTES:])
    else:
        path.write_bytes(content[:HEADER_BYTES])
    with caplog.at_level(logging.WARNING):
        jetson.open(spec, tmp_path).run(_noise(spec))
    assert len(jetson.trt.built) == 2
    assert len(_warnings(caplog)) == 1


def test_a_whole_plan_that_tensorrt_refuses_is_built_again(
    jetson: RuntimeUnderTest, spec: EngineSpec, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Right key, right sha256, and yet not a plan: as after a bug, or when TensorRT's own check fails."""
    key, path = tensorrt_engine._place(spec, tmp_path, cuda.open_cuda(), None)
    write_blob(path, key, b"not a plan")
    with caplog.at_level(logging.WARNING):
        jetson.open(spec, tmp_path).run(_noise(spec))
    (told,) = _warnings(caplog)
    assert "deserializing failed" in told


def test_a_plan_of_another_network_under_the_right_name_is_refused(
    jetson: RuntimeUnderTest, spec: EngineSpec, tmp_path: Path
) -> None:
    jetson.open(spec, tmp_path)
    other = replace(spec, outputs=("boxes",), log_odds=())
    key, path = tensorrt_engine._place(other, tmp_path, cuda.open_cuda(), None)
    write_blob(path, key, _plan(tmp_path).read_bytes()[HEADER_BYTES:])
    assert jetson.open(other, tmp_path).output_shapes == ((2, 4, 8, 10),)
    assert len(jetson.trt.built) == 2


def test_without_a_place_for_plans_it_works_and_is_said(
    jetson: RuntimeUnderTest, spec: EngineSpec, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_bytes(b"")
    with caplog.at_level(logging.WARNING):
        assert jetson.open(spec, in_the_way / "cache").run(_noise(spec))[0].any()
    assert "could not be kept" in caplog.text


def test_everything_that_a_run_does_is_one_graph(jetson: RuntimeUnderTest, spec: EngineSpec, tmp_path: Path) -> None:
    engine = jetson.open(spec, tmp_path)
    gpu = jetson.gpu
    assert gpu is not None
    (graph,) = gpu.graphs
    assert len(gpu.graphs[graph]) == 1 + 1 + 3  # upload, network, three downloads
    before = gpu.runs
    engine.run(_noise(spec))
    assert gpu.runs == before + 1


def test_where_no_graph_can_be_recorded_it_runs_without(
    spec: EngineSpec, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    gpu = FakeGpu()
    gpu.can_record = False
    with fake_machine("10.3.0", "cuda.bindings", gpu) as runtime, caplog.at_level(logging.WARNING):
        engine = runtime.open(spec, tmp_path)
        first = engine.run(_noise(spec))[0].copy()
        np.testing.assert_array_equal(engine.run(_noise(spec))[0], first)
    assert "runs without a CUDA graph" in caplog.text


def test_things_are_given_back_before_what_they_were_made_from(
    jetson: RuntimeUnderTest, spec: EngineSpec, tmp_path: Path
) -> None:
    engine = jetson.open(spec, tmp_path)
    gpu = jetson.gpu
    assert gpu is not None
    gpu.events.clear()
    engine.close()
    assert gpu.events == ["graph", *["memory"] * 4, "context", "engine", "runtime", "stream"]


def test_an_engine_may_be_used_and_closed_in_another_thread(
    jetson: RuntimeUnderTest, spec: EngineSpec, tmp_path: Path
) -> None:
    from concurrent.futures import ThreadPoolExecutor

    engine = jetson.open(spec, tmp_path)
    here = engine.run(_noise(spec))[0].copy()
    with ThreadPoolExecutor(1) as pool:
        np.testing.assert_array_equal(pool.submit(engine.run, _noise(spec)).result()[0], here)
        pool.submit(engine.close).result()


@pytest.mark.parametrize("package", ["cuda.bindings", "pycuda"])
def test_a_full_gpu_is_a_clear_error_and_leaves_nothing_behind(spec: EngineSpec, tmp_path: Path, package: str) -> None:
    gpu = FakeGpu()
    with fake_machine("10.3.0", package, gpu) as runtime:
        gpu.free_bytes = 100
        with pytest.raises(ModelError, match="The GPU cannot run small_net") as caught:
            runtime.open(spec, tmp_path)
        assert "CUDA_ERROR_OUT_OF_MEMORY" in str(caught.value)
        gpu.check_nothing_left()


def test_one_plan_serves_a_span_of_shapes(jetson: RuntimeUnderTest, spec: EngineSpec, tmp_path: Path) -> None:
    span = Span((1, 4, 4, 3), (2, 8, 10, 3), (4, 32, 32, 3))
    pictures = _noise(spec)
    fixed = jetson.open(spec, tmp_path).run(pictures)
    ranging = tensorrt_engine.open_engine(spec, tmp_path, span)
    for one, other in zip(ranging.run(pictures), fixed, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5)
    ranging.close()
    assert len(jetson.trt.built) == 2
    assert jetson.trt.built[1]["profile"] == {"facewire_pixels": ((1, 4, 12), (2, 8, 30), (4, 32, 96))}
    assert tensorrt_engine.is_cached(spec, tmp_path, span)


def test_a_shape_outside_the_span_is_refused(jetson: RuntimeUnderTest, spec: EngineSpec, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="out of the profile's range"):
        tensorrt_engine.open_engine(spec, tmp_path, Span((1, 4, 4, 3), (1, 4, 4, 3), (1, 8, 10, 3)))


def test_without_a_driver_it_says_so_and_touches_nothing(
    spec: EngineSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cuda, "why_not", lambda: "There is no NVIDIA driver on this machine.")
    monkeypatch.setitem(sys.modules, "tensorrt", None)
    with pytest.raises(SettingsError, match="no NVIDIA driver"):
        tensorrt_engine.open_engine(spec, tmp_path)
    assert not tensorrt_engine.is_cached(spec, tmp_path)


def test_why_tensorrt_cannot_be_used_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with fake_machine("8.5.2", "cuda.bindings"):
        assert "8.5.2 is too old" in str(tensorrt_engine.why_not())
        monkeypatch.setitem(sys.modules, "tensorrt", None)
        assert "tensorrt is not installed" in str(tensorrt_engine.why_not())
    with fake_machine("8.6.1", "pycuda"):
        assert tensorrt_engine.why_not() is None


def test_a_broken_installation_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tensorrt.py").write_text("raise ImportError('libnvinfer.so.10: cannot open shared object file')\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(cuda, "why_not", lambda: None)
    monkeypatch.delitem(sys.modules, "tensorrt", raising=False)
    assert "libnvinfer.so.10" in str(tensorrt_engine.why_not())


def test_nothing_of_nvidia_is_imported_before_an_engine_is_opened() -> None:
    """Importing must not make a context: the parent of the stages imports this, too."""
    script = (
        "import sys, engines.backends, engines.tensorrt_engine, engines.tensorrt_build, engines.cuda\n"
        "import engines.cuda_direct, engines.cuda_objects\n"
        "print([name for name in ('tensorrt', 'cuda', 'pycuda', 'onnxruntime', 'openvino') if name in sys.modules])"
    )
    assert subprocess.check_output([sys.executable, "-c", script], text=True).strip() == "[]"
