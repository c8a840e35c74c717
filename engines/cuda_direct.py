"""CUDA through cuda-python; nothing else imports it."""

from __future__ import annotations

import ctypes
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from engines.cuda import CudaError, Device


class CudaDirect:
    """The driver's own functions; the primary context, since that is the one that TensorRT uses."""

    def __init__(self) -> None:
        from cuda.bindings import driver

        self._driver: Any = driver
        self._call(driver.cuInit(0))
        self._number = self._call(driver.cuDeviceGet(0))
        self._context = self._call(driver.cuDevicePrimaryCtxRetain(self._number))
        self.make_current()

    @property
    def errors(self) -> tuple[type[Exception], ...]:
        return (CudaError,)

    def _call(self, answer: tuple[Any, ...]) -> Any:  # noqa: ANN401
        status, *values = answer
        if status != self._driver.CUresult.CUDA_SUCCESS:
            raise CudaError(f"CUDA: {getattr(status, 'name', status)}")
        return values[0] if len(values) == 1 else values

    def device(self) -> Device:
        attribute = self._driver.CUdevice_attribute
        major, minor = (
            int(self._call(self._driver.cuDeviceGetAttribute(which, self._number)))
            for which in (
                attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR,
                attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR,
            )
        )
        name = self._call(self._driver.cuDeviceGetName(256, self._number)).split(b"\0")[0].decode(errors="replace")
        free, total = self._call(self._driver.cuMemGetInfo())
        return Device(name, (major, minor), int(free), int(total))

    def make_current(self) -> None:
        self._call(self._driver.cuCtxSetCurrent(self._context))

    def pinned(self, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
        size_bytes = int(np.prod(shape)) * np.dtype(dtype).itemsize
        address = int(self._call(self._driver.cuMemHostAlloc(size_bytes, 0)))
        memory = (ctypes.c_uint8 * size_bytes).from_address(address)
        # Views keep `memory` alive. At the end of the process the driver clears up by itself.
        weakref.finalize(memory, self._free_pinned, address).atexit = False
        array: NDArray[Any] = np.frombuffer(memoryview(memory), dtype).reshape(shape)
        array.fill(0)
        return array

    def _free_pinned(self, address: int) -> None:
        self.make_current()
        self._call(self._driver.cuMemFreeHost(address))

    def allocate(self, size_bytes: int) -> int:
        return int(self._call(self._driver.cuMemAlloc(size_bytes)))

    def free(self, address: int) -> None:
        self._call(self._driver.cuMemFree(address))

    def new_stream(self) -> int:
        return int(self._call(self._driver.cuStreamCreate(self._driver.CUstream_flags.CU_STREAM_NON_BLOCKING.value)))

    def free_stream(self, stream: int) -> None:
        self._call(self._driver.cuStreamDestroy(stream))

    def upload(self, host: NDArray[Any], address: int, stream: int) -> None:
        self._call(self._driver.cuMemcpyHtoDAsync(address, host.ctypes.data, host.nbytes, stream))

    def download(self, address: int, host: NDArray[Any], stream: int) -> None:
        self._call(self._driver.cuMemcpyDtoHAsync(host.ctypes.data, address, host.nbytes, stream))

    def synchronise(self, stream: int) -> None:
        self._call(self._driver.cuStreamSynchronize(stream))

    def record(self, work: Callable[[], None], stream: int) -> int | None:
        # Only what this thread does is forbidden while it records: other engines may be made at the same time.
        mode = self._driver.CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_THREAD_LOCAL
        self._call(self._driver.cuStreamBeginCapture(stream, mode))
        try:
            work()
        finally:
            answer = self._driver.cuStreamEndCapture(stream)
        graph = self._call(answer)
        try:
            return int(self._call(self._driver.cuGraphInstantiate(graph, 0)))
        finally:
            self._call(self._driver.cuGraphDestroy(graph))

    def launch(self, graph: int, stream: int) -> None:
        self._call(self._driver.cuGraphLaunch(graph, stream))

    def free_graph(self, graph: int) -> None:
        self._call(self._driver.cuGraphExecDestroy(graph))
