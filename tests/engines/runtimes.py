"""Every runtime that engines know, real or faked, behind the same two functions."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from engines import backends, cuda, onnx_engine, openvino_engine, tensorrt_build, tensorrt_engine
from engines.engine import Engine
from engines.spec import EngineSpec
from tests.engines import fake_cuda
from tests.engines.fake_cuda import FakeGpu
from tests.engines.fake_tensorrt import fake_tensorrt

# TensorRT's version, and the CUDA package that it is used with.
TENSORRTS = {
    "tensorrt 8.6": ("8.6.1", "cuda.bindings"),
    "tensorrt 8.6, PyCUDA": ("8.6.1", "pycuda"),
    "tensorrt 10.3": ("10.3.0", "cuda.bindings"),
    "tensorrt 10.16, PyCUDA": ("10.16.1", "pycuda"),
    "tensorrt 11.4": ("11.4.0", "cuda.bindings"),
}
# The real one only where it can be used: elsewhere each of its tests would be told as skipped.
_REAL = [pytest.param("tensorrt", marks=pytest.mark.gpu)] if backends.why_not("tensorrt") is None else []
NAMES = ("openvino", "onnx", *TENSORRTS, *_REAL)


@dataclass(slots=True)
class RuntimeUnderTest:
    """Opens engines and keeps them, so that they are closed at the end. `gpu` and `trt` are None on processors."""

    name: str
    module: Any
    gpu: FakeGpu | None = None
    trt: Any = None
    opened: list[Engine] = field(default_factory=list)

    def open(self, spec: EngineSpec, cache: Path) -> Engine:
        engine: Engine = self.module.open_engine(spec, cache)
        self.opened.append(engine)
        return engine

    def is_cached(self, spec: EngineSpec, cache: Path) -> bool:
        return bool(self.module.is_cached(spec, cache))


@contextmanager
def runtime_named(name: str) -> Iterator[RuntimeUnderTest]:
    if name in TENSORRTS:
        with fake_machine(*TENSORRTS[name]) as runtime:
            yield runtime
        return
    if (reason := backends.why_not(name)) is not None:  # type: ignore[arg-type]
        pytest.skip(f"{name}: {reason}")
    modules = {"openvino": openvino_engine, "onnx": onnx_engine, "tensorrt": tensorrt_engine}
    runtime = RuntimeUnderTest(name, modules[name])
    yield runtime
    for engine in runtime.opened:
        engine.close()


@contextmanager
def fake_machine(version: str, package: str, gpu: FakeGpu | None = None) -> Iterator[RuntimeUnderTest]:
    """A machine with a GPU, this TensorRT and this CUDA package; at the end nothing may be left on the GPU."""
    gpu = gpu or FakeGpu()
    with pytest.MonkeyPatch.context() as patch:
        fake_cuda.install(patch, gpu, package)
        module = fake_tensorrt(version, gpu)
        patch.setitem(sys.modules, "tensorrt", module)
        tensorrt_build.trt_logger.cache_clear()
        runtime = RuntimeUnderTest("tensorrt", tensorrt_engine, gpu, module)
        yield runtime
        for engine in runtime.opened:
            engine.close()
        gpu.check_nothing_left()
    cuda.open_cuda.cache_clear()
    tensorrt_build.trt_logger.cache_clear()
