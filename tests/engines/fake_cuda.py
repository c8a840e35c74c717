"""A GPU that is not there: memory, streams and graphs with the driver's rules, behind the names of cuda-python and
PyCUDA.

What is put into a stream happens when somebody waits for the stream and not before, so whoever looks too early sees
old numbers. What the driver would answer with an error or a crash raises.
"""

from __future__ import annotations

import enum
import itertools
import sys
import threading
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

Work = Callable[[], None]


class GpuError(Exception):
    """What the driver refuses; `name` as the driver calls it."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class FakeGpu:
    """One GPU, as its driver keeps it. `events` tells what was freed, in order."""

    def __init__(self, name: str = "Fake GPU", capability: tuple[int, int] = (8, 7)) -> None:
        self.name, self.capability = name, capability
        self.free_bytes, self.total_bytes = 6 << 30, 8 << 30
        self.memory: dict[int, NDArray[np.uint8]] = {}
        self.host: dict[int, NDArray[np.uint8]] = {}
        self.streams: dict[int, list[Work]] = {}
        self.recordings: dict[int, list[Work]] = {}
        self.graphs: dict[int, list[Work]] = {}
        self.can_record = True
        self.events: list[str] = []
        self.runs = 0
        self._numbers = itertools.count(0x1000, 0x100)
        self._current = threading.local()

    def make_current(self) -> None:
        self._current.yes = True

    def need_context(self) -> None:
        if not getattr(self._current, "yes", False):
            raise GpuError("CUDA_ERROR_INVALID_CONTEXT")

    def number(self) -> int:
        return next(self._numbers)

    def allocate(self, size_bytes: int) -> int:
        self.need_context()
        if self.recordings:
            raise GpuError("CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED")
        if size_bytes > self.free_bytes:
            raise GpuError("CUDA_ERROR_OUT_OF_MEMORY")
        address = self.number()
        self.memory[address] = np.zeros(size_bytes, np.uint8)
        return address

    def free(self, address: int) -> None:
        self.need_context()
        if self.memory.pop(address, None) is None:
            raise GpuError("CUDA_ERROR_INVALID_VALUE")
        self.events.append("memory")

    def at(self, address: int, size_bytes: int) -> NDArray[np.uint8]:
        memory = self.memory.get(address)
        if memory is None or len(memory) < size_bytes:
            raise GpuError("CUDA_ERROR_ILLEGAL_ADDRESS")
        return memory[:size_bytes]

    def pinned(self, size_bytes: int) -> int:
        self.need_context()
        array = np.full(size_bytes, 0xAB, np.uint8)  # fresh memory holds anything
        self.host[array.ctypes.data] = array
        return int(array.ctypes.data)

    def free_pinned(self, address: int) -> None:
        self.need_context()
        if self.host.pop(address, None) is None:
            raise GpuError("CUDA_ERROR_INVALID_VALUE")

    def _host(self, address: int, size_bytes: int) -> NDArray[np.uint8]:
        array = self.host.get(address)
        if array is None or len(array) < size_bytes:
            raise GpuError("the host memory of an asynchronous copy is not pinned")
        return array[:size_bytes]

    def new_stream(self) -> int:
        self.need_context()
        stream = self.number()
        self.streams[stream] = []
        return stream

    def free_stream(self, stream: int) -> None:
        self.need_context()
        if self.streams.pop(stream, None) is None:
            raise GpuError("CUDA_ERROR_INVALID_HANDLE")
        self.events.append("stream")

    def put(self, stream: int, work: Work) -> None:
        self.need_context()
        if stream not in self.streams:
            raise GpuError("CUDA_ERROR_INVALID_HANDLE")
        self.recordings.get(stream, self.streams[stream]).append(work)

    def upload(self, address: int, host: int, size_bytes: int, stream: int) -> None:
        self._host(host, size_bytes), self.at(address, size_bytes)
        self.put(stream, lambda: np.copyto(self.at(address, size_bytes), self._host(host, size_bytes)))

    def download(self, host: int, address: int, size_bytes: int, stream: int) -> None:
        self._host(host, size_bytes), self.at(address, size_bytes)
        self.put(stream, lambda: np.copyto(self._host(host, size_bytes), self.at(address, size_bytes)))

    def synchronise(self, stream: int) -> None:
        self.need_context()
        if stream in self.recordings:
            raise GpuError("CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED")
        if stream not in self.streams:
            raise GpuError("CUDA_ERROR_INVALID_HANDLE")
        waiting, self.streams[stream] = self.streams[stream], []
        for work in waiting:
            work()

    def begin_recording(self, stream: int) -> None:
        self.need_context()
        if stream in self.recordings or not self.can_record:
            raise GpuError("CUDA_ERROR_ILLEGAL_STATE")
        self.recordings[stream] = []

    def end_recording(self, stream: int) -> int:
        if stream not in self.recordings:
            raise GpuError("CUDA_ERROR_ILLEGAL_STATE")
        graph = self.number()
        self.graphs[graph] = self.recordings.pop(stream)
        return graph

    def instantiate(self, graph: int) -> int:
        executable = self.number()
        self.graphs[executable] = list(self.graphs[graph])
        return executable

    def launch(self, graph: int, stream: int) -> None:
        if graph not in self.graphs:
            raise GpuError("CUDA_ERROR_INVALID_HANDLE")
        for work in self.graphs[graph]:
            self.put(stream, work)

    def free_graph(self, graph: int) -> None:
        if self.graphs.pop(graph, None) is None:
            raise GpuError("CUDA_ERROR_INVALID_HANDLE")
        self.events.append("graph")

    def check_nothing_left(self) -> None:
        assert not (self.memory or self.streams or self.graphs or self.recordings)


class CUresult(enum.IntEnum):
    CUDA_SUCCESS = 0
    CUDA_ERROR_INVALID_VALUE = 1
    CUDA_ERROR_OUT_OF_MEMORY = 2
    CUDA_ERROR_INVALID_CONTEXT = 201
    CUDA_ERROR_INVALID_HANDLE = 400
    CUDA_ERROR_ILLEGAL_STATE = 401
    CUDA_ERROR_ILLEGAL_ADDRESS = 700
    CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED = 900


def bindings_driver(gpu: FakeGpu) -> ModuleType:
    """`cuda.bindings.driver`: functions that answer with a status and what they give."""

    def answering(work: Callable[..., Any]) -> Callable[..., tuple[Any, ...]]:
        def call(*arguments: Any) -> tuple[Any, ...]:
            try:
                value = work(*arguments)
            except GpuError as error:
                status = getattr(CUresult, error.name, None)
                if status is None:
                    raise
                return status, *[None] * (0 if work in nothing else 1)
            if value is None:
                return (CUresult.CUDA_SUCCESS,)
            return (CUresult.CUDA_SUCCESS, *value) if isinstance(value, tuple) else (CUresult.CUDA_SUCCESS, value)

        return call

    nothing = {gpu.free, gpu.free_pinned, gpu.free_stream, gpu.upload, gpu.download, gpu.synchronise, gpu.launch}
    attribute = SimpleNamespace(
        CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR=0, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR=1
    )
    functions: dict[str, Callable[..., Any]] = {
        "cuInit": lambda flags: None,
        "cuDeviceGet": lambda ordinal: ordinal,
        "cuDevicePrimaryCtxRetain": lambda device: 77,
        "cuCtxSetCurrent": lambda context: gpu.make_current(),
        "cuDeviceGetAttribute": lambda which, device: gpu.capability[which],
        "cuDeviceGetName": lambda length, device: gpu.name.encode().ljust(length, b"\0"),
        "cuMemGetInfo": lambda: (gpu.free_bytes, gpu.total_bytes),
        "cuMemHostAlloc": lambda size_bytes, flags: gpu.pinned(size_bytes),
        "cuMemFreeHost": gpu.free_pinned,
        "cuMemAlloc": gpu.allocate,
        "cuMemFree": gpu.free,
        "cuStreamCreate": lambda flags: gpu.new_stream(),
        "cuStreamDestroy": gpu.free_stream,
        "cuMemcpyHtoDAsync": gpu.upload,
        "cuMemcpyDtoHAsync": gpu.download,
        "cuStreamSynchronize": gpu.synchronise,
        "cuStreamBeginCapture": lambda stream, mode: gpu.begin_recording(stream),
        "cuStreamEndCapture": gpu.end_recording,
        "cuGraphInstantiate": lambda graph, flags: gpu.instantiate(graph),
        "cuGraphDestroy": gpu.free_graph,
        "cuGraphExecDestroy": gpu.free_graph,
        "cuGraphLaunch": gpu.launch,
    }
    module = _module("cuda.bindings.driver", **{name: answering(work) for name, work in functions.items()})
    module.CUresult = CUresult  # type: ignore[attr-defined]
    module.CUdevice_attribute = attribute  # type: ignore[attr-defined]
    module.CUstream_flags = SimpleNamespace(CU_STREAM_NON_BLOCKING=SimpleNamespace(value=1))  # type: ignore[attr-defined]
    module.CUstreamCaptureMode = SimpleNamespace(CU_STREAM_CAPTURE_MODE_THREAD_LOCAL=1)  # type: ignore[attr-defined]
    return module


def pycuda_driver(gpu: FakeGpu) -> ModuleType:
    """`pycuda.driver`: objects that free what they stand for when they go."""

    class Error(Exception):
        pass

    def raising(work: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return work(*arguments)
        except GpuError as error:
            raise Error(error.name) from error

    class Context:
        def push(self) -> None:
            gpu.make_current()

    class Device:
        def __init__(self, number: int) -> None:
            assert number == 0

        def name(self) -> str:
            return gpu.name

        def compute_capability(self) -> tuple[int, int]:
            return gpu.capability

        def retain_primary_context(self) -> Context:
            return Context()

    class Stream:
        def __init__(self) -> None:
            self.handle = raising(gpu.new_stream)

        def synchronize(self) -> None:
            raising(gpu.synchronise, self.handle)

        def __del__(self) -> None:
            gpu.free_stream(self.handle)

    class DeviceAllocation:
        def __init__(self, size_bytes: int) -> None:
            self._address = raising(gpu.allocate, size_bytes)

        def __int__(self) -> int:
            return int(self._address)

        def free(self) -> None:
            raising(gpu.free, self._address)

    def pagelocked_empty(shape: tuple[int, ...], dtype: Any) -> NDArray[Any]:
        size_bytes = int(np.prod(shape)) * np.dtype(dtype).itemsize
        array: NDArray[Any] = gpu.host[raising(gpu.pinned, size_bytes)].view(dtype).reshape(shape)
        return array

    def htod(address: int, host: NDArray[Any], stream: Stream) -> None:
        raising(gpu.upload, address, host.ctypes.data, host.nbytes, stream.handle)

    def dtoh(host: NDArray[Any], address: int, stream: Stream) -> None:
        raising(gpu.download, host.ctypes.data, address, host.nbytes, stream.handle)

    return _module(
        "pycuda.driver",
        init=lambda: None,
        Device=Device,
        Stream=Stream,
        Error=Error,
        mem_alloc=DeviceAllocation,
        mem_get_info=lambda: (gpu.free_bytes, gpu.total_bytes),
        pagelocked_empty=pagelocked_empty,
        memcpy_htod_async=htod,
        memcpy_dtoh_async=dtoh,
    )


def install(monkeypatch: pytest.MonkeyPatch, gpu: FakeGpu, package: str) -> None:
    """From here on `package`, "cuda.bindings" or "pycuda", is the only CUDA package there is."""
    from engines import cuda

    for name in ("cuda", "cuda.bindings", "cuda.bindings.driver", "pycuda", "pycuda.driver"):
        monkeypatch.setitem(sys.modules, name, None)
    driver = bindings_driver(gpu) if package == "cuda.bindings" else pycuda_driver(gpu)
    modules = {f"{package}.driver": driver, package: _module(package, driver=driver)}
    if "." in package:
        parent, child = package.split(".")
        modules[parent] = _module(parent, **{child: modules[package]})
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setattr(cuda, "why_not", lambda: None)
    cuda.open_cuda.cache_clear()


def _module(name: str, **members: Any) -> ModuleType:
    module = ModuleType(name)
    module.__spec__ = ModuleSpec(name, None)
    module.__path__ = []
    for member, value in members.items():
        setattr(module, member, value)
    return module
