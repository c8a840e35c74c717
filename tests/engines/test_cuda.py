"""Both ways to CUDA against the same fake driver; that the real cuda-python has these names was looked up in it."""

from __future__ import annotations

import ast
import ctypes
import gc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from engines import cuda, cuda_direct
from engines.cuda import Cuda, CudaError
from tests.engines import fake_cuda
from tests.engines.fake_cuda import FakeGpu

WHY_NOT = cuda.why_not

# As found in cuda-bindings 12.6.2 and 13.4.4.
IN_CUDA_BINDINGS = {
    "CUdevice_attribute",
    "CUresult",
    "CUstreamCaptureMode",
    "CUstream_flags",
    "cuCtxSetCurrent",
    "cuDeviceGet",
    "cuDeviceGetAttribute",
    "cuDeviceGetName",
    "cuDevicePrimaryCtxRetain",
    "cuGraphDestroy",
    "cuGraphExecDestroy",
    "cuGraphInstantiate",
    "cuGraphLaunch",
    "cuInit",
    "cuMemAlloc",
    "cuMemFree",
    "cuMemFreeHost",
    "cuMemGetInfo",
    "cuMemHostAlloc",
    "cuMemcpyDtoHAsync",
    "cuMemcpyHtoDAsync",
    "cuStreamBeginCapture",
    "cuStreamCreate",
    "cuStreamDestroy",
    "cuStreamEndCapture",
    "cuStreamSynchronize",
}


@pytest.fixture
def fake_gpu() -> FakeGpu:
    return FakeGpu("Orin", (8, 7))


@pytest.fixture(params=["cuda.bindings", "pycuda"])
def gpu(request: pytest.FixtureRequest, fake_gpu: FakeGpu, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cuda]:
    fake_cuda.install(monkeypatch, fake_gpu, request.param)
    yield cuda.open_cuda()
    cuda.open_cuda.cache_clear()


def test_the_device_is_described(gpu: Cuda) -> None:
    device = gpu.device()
    assert (device.name, device.capability) == ("Orin", (8, 7))
    assert (device.free_bytes, device.total_bytes) == (6 << 30, 8 << 30)


def test_a_process_has_one_context(gpu: Cuda) -> None:
    assert cuda.open_cuda() is gpu


def test_what_goes_up_comes_down_when_it_was_waited_for(gpu: Cuda, fake_gpu: FakeGpu) -> None:
    stream, address = gpu.new_stream(), gpu.allocate(24)
    there, back = gpu.pinned((2, 3), np.float32), gpu.pinned((2, 3), np.float32)
    assert not there.any() and not back.any()
    there[:] = np.arange(6).reshape(2, 3)
    gpu.upload(there, address, stream)
    gpu.download(address, back, stream)
    assert not back.any()
    gpu.synchronise(stream)
    np.testing.assert_array_equal(back, there)
    gpu.free(address)
    gpu.free_stream(stream)
    fake_gpu.check_nothing_left()


def test_a_graph_repeats_what_was_recorded(fake_gpu: FakeGpu, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_cuda.install(monkeypatch, fake_gpu, "cuda.bindings")
    gpu = cuda.open_cuda()
    stream, address = gpu.new_stream(), gpu.allocate(4)
    there, back = gpu.pinned((4,), np.uint8), gpu.pinned((4,), np.uint8)

    def work() -> None:
        gpu.upload(there, address, stream)
        gpu.download(address, back, stream)

    graph = gpu.record(work, stream)
    assert graph is not None
    gpu.synchronise(stream)
    assert not back.any()
    for value in (5, 6):
        there[:] = value
        gpu.launch(graph, stream)
        gpu.synchronise(stream)
        assert set(back) == {value}
    gpu.free_graph(graph)
    gpu.free(address)
    gpu.free_stream(stream)
    fake_gpu.check_nothing_left()
    cuda.open_cuda.cache_clear()


def test_recording_that_fails_ends(fake_gpu: FakeGpu, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_cuda.install(monkeypatch, fake_gpu, "cuda.bindings")
    gpu = cuda.open_cuda()
    stream = gpu.new_stream()
    with pytest.raises(CudaError, match="STREAM_CAPTURE_UNSUPPORTED"):
        gpu.record(lambda: gpu.free(gpu.allocate(4)), stream)
    assert not fake_gpu.recordings
    gpu.free_stream(stream)
    cuda.open_cuda.cache_clear()


def test_pycuda_records_nothing(fake_gpu: FakeGpu, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_cuda.install(monkeypatch, fake_gpu, "pycuda")
    gpu = cuda.open_cuda()
    stream = gpu.new_stream()
    assert gpu.record(lambda: None, stream) is None
    for refused in (lambda: gpu.launch(1, stream), lambda: gpu.free_graph(1)):
        with pytest.raises(CudaError):
            refused()
    gpu.free_stream(stream)
    fake_gpu.check_nothing_left()
    cuda.open_cuda.cache_clear()


def test_pinned_memory_lives_as_long_as_its_last_view(fake_gpu: FakeGpu, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_cuda.install(monkeypatch, fake_gpu, "cuda.bindings")
    array = cuda.open_cuda().pinned((4, 5), np.uint8)
    view = array[2:].reshape(-1)
    del array
    gc.collect()
    assert len(fake_gpu.host) == 1
    view[:] = 3
    del view
    gc.collect()
    assert not fake_gpu.host
    cuda.open_cuda.cache_clear()


def test_what_the_driver_refuses_is_raised_with_its_name(gpu: Cuda, fake_gpu: FakeGpu) -> None:
    with pytest.raises(gpu.errors, match="CUDA_ERROR_OUT_OF_MEMORY"):
        gpu.allocate(1 << 40)
    fake_gpu.check_nothing_left()


def test_the_fake_refuses_host_memory_that_is_not_pinned(gpu: Cuda, fake_gpu: FakeGpu) -> None:
    stream, address = gpu.new_stream(), gpu.allocate(8)
    with pytest.raises((*gpu.errors, fake_cuda.GpuError), match="not pinned"):
        gpu.upload(np.zeros(8, np.uint8), address, stream)
    gpu.free(address)
    gpu.free_stream(stream)


def test_another_thread_makes_the_context_current_first(gpu: Cuda) -> None:
    def allocate(make_current: bool) -> None:
        if make_current:
            gpu.make_current()
            gpu.make_current()
        gpu.free(gpu.allocate(4))

    with ThreadPoolExecutor(1) as pool:
        assert isinstance(pool.submit(allocate, False).exception(), gpu.errors)
        pool.submit(allocate, True).result()


@pytest.mark.gpu
def test_a_real_gpu_copies_and_repeats() -> None:
    if (reason := cuda.why_not()) is not None:
        pytest.skip(reason)
    gpu = cuda.open_cuda()
    assert gpu.device().free_bytes > 0
    stream, address = gpu.new_stream(), gpu.allocate(1 << 20)
    there, back = gpu.pinned((1 << 18,), np.float32), gpu.pinned((1 << 18,), np.float32)

    def work() -> None:
        gpu.upload(there, address, stream)
        gpu.download(address, back, stream)

    graph = gpu.record(work, stream)
    for value in (1.5, 2.5):
        there[:] = value
        if graph is None:
            work()
        else:
            gpu.launch(graph, stream)
        gpu.synchronise(stream)
        assert (back == value).all()
    if graph is not None:
        gpu.free_graph(graph)
    gpu.free(address)
    gpu.free_stream(stream)
    cuda.open_cuda.cache_clear()


def test_cuda_python_has_every_name_that_is_used() -> None:
    tree = ast.parse(Path(str(cuda_direct.__file__)).read_text(encoding="utf-8"))
    used = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and (
            (isinstance(node.value, ast.Attribute) and node.value.attr == "_driver")
            or (isinstance(node.value, ast.Name) and node.value.id == "driver")
        )
    }
    assert {"cuInit", "cuGraphLaunch", "CUresult"} <= used
    assert used <= IN_CUDA_BINDINGS


@pytest.mark.parametrize(
    ("init", "count", "told"),
    [(0, 0, "finds no GPU."), (100, 0, "CUDA error 100"), (0, 1, "Neither cuda-python nor PyCUDA")],
)
def test_why_there_is_no_gpu_is_told(monkeypatch: pytest.MonkeyPatch, init: int, count: int, told: str) -> None:
    def device_count(pointer: object) -> int:
        pointer._obj.value = count  # type: ignore[attr-defined]
        return 0

    driver = SimpleNamespace(cuInit=lambda flags: init, cuDeviceGetCount=device_count)
    monkeypatch.setattr(ctypes, "CDLL", lambda name: driver)
    monkeypatch.setattr(cuda, "_is_installed", lambda package: False)
    assert told in str(WHY_NOT())
    monkeypatch.setattr(cuda, "_is_installed", lambda package: package == "pycuda")
    assert (WHY_NOT() is None) == (told.startswith("Neither"))


def test_a_machine_without_a_driver_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise OSError(f"{name}: cannot open shared object file")

    monkeypatch.setattr(ctypes, "CDLL", missing)
    assert WHY_NOT() == "There is no NVIDIA driver on this machine."


def test_a_package_whose_parent_is_missing_is_not_installed() -> None:
    assert not cuda._is_installed("no_such_package.inside")
    assert cuda._is_installed("importlib.util")
