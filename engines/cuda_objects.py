"""CUDA through PyCUDA, which Jetson can build where cuda-python is too new for it; nothing else imports it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from numpy.typing import DTypeLike, NDArray

from engines.cuda import CudaError, Device


class CudaObjects:
    """PyCUDA frees what its objects stand for when they go, so they are kept here. It knows no graphs."""

    def __init__(self) -> None:
        import pycuda.driver as driver

        self._driver: Any = driver
        driver.init()
        self._device = driver.Device(0)
        self._context = self._device.retain_primary_context()
        self._thread = threading.local()
        self._streams: dict[int, Any] = {}
        self._memory: dict[int, Any] = {}
        self.make_current()

    @property
    def errors(self) -> tuple[type[Exception], ...]:
        return CudaError, self._driver.Error

    def device(self) -> Device:
        free, total = self._driver.mem_get_info()
        return Device(self._device.name(), tuple(self._device.compute_capability()), free, total)

    def make_current(self) -> None:
        # PyCUDA keeps a stack of contexts for each thread: once is enough, and more would make it grow.
        if not hasattr(self._thread, "is_current"):
            self._context.push()
            self._thread.is_current = True

    def pinned(self, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
        array: NDArray[Any] = self._driver.pagelocked_empty(shape, dtype)
        array.fill(0)
        return array

    def allocate(self, size_bytes: int) -> int:
        memory = self._driver.mem_alloc(size_bytes)
        self._memory[int(memory)] = memory
        return int(memory)

    def free(self, address: int) -> None:
        self._memory.pop(address).free()

    def new_stream(self) -> int:
        stream = self._driver.Stream()
        self._streams[int(stream.handle)] = stream
        return int(stream.handle)

    def free_stream(self, stream: int) -> None:
        del self._streams[stream]

    def upload(self, host: NDArray[Any], address: int, stream: int) -> None:
        self._driver.memcpy_htod_async(address, host, self._streams[stream])

    def download(self, address: int, host: NDArray[Any], stream: int) -> None:
        self._driver.memcpy_dtoh_async(host, address, self._streams[stream])

    def synchronise(self, stream: int) -> None:
        self._streams[stream].synchronize()

    def record(self, work: Callable[[], None], stream: int) -> int | None:
        del work, stream
        return None

    def launch(self, graph: int, stream: int) -> None:
        raise CudaError(f"PyCUDA records no graphs, so it cannot launch graph {graph} on stream {stream}")

    def free_graph(self, graph: int) -> None:
        raise CudaError(f"PyCUDA records no graphs, so it cannot free graph {graph}")
