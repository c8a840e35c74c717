"""The memory, streams and graphs of an NVIDIA GPU, as engines need them, and whether there is one.

A process talks to one GPU, the first that CUDA shows it, and it begins to do so when it opens its first engine: a
context does not survive being handed to another process.
"""

from __future__ import annotations

import ctypes
import functools
import importlib.util
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from numpy.typing import DTypeLike, NDArray

_PACKAGES = ("cuda.bindings", "pycuda")  # in the order in which they are tried


class CudaError(RuntimeError):
    """What the driver refused, with its own words."""


@dataclass(frozen=True, slots=True)
class Device:
    """capability          the version of the instructions it knows, (major, minor)
    free_bytes, total_bytes of its memory
    """

    name: str
    capability: tuple[int, int]
    free_bytes: int
    total_bytes: int


class Cuda(Protocol):
    """The context of this process on its GPU. Addresses, streams and graphs are the driver's numbers.

    Copies only begin when they are asked for: before `synchronise` neither side may be touched.
    """

    @property
    def errors(self) -> tuple[type[Exception], ...]:
        """What its calls raise."""

    def device(self) -> Device: ...

    def make_current(self) -> None:
        """To be called first in each thread that uses the context; cheap when it is current already."""

    def pinned(self, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
        """Host memory that the GPU can reach, filled with zeros; it goes when the last view of it goes."""

    def allocate(self, size_bytes: int) -> int: ...

    def free(self, address: int) -> None: ...

    def new_stream(self) -> int: ...

    def free_stream(self, stream: int) -> None: ...

    def upload(self, host: NDArray[Any], address: int, stream: int) -> None: ...

    def download(self, address: int, host: NDArray[Any], stream: int) -> None: ...

    def synchronise(self, stream: int) -> None: ...

    def record(self, work: Callable[[], None], stream: int) -> int | None:
        """What `work` puts into the stream, as a graph that one call repeats; None where this cannot be had."""

    def launch(self, graph: int, stream: int) -> None: ...

    def free_graph(self, graph: int) -> None: ...


def why_not() -> str | None:
    """Why the GPU cannot be used here, None: it can. Asks the driver itself, so it needs no package and no context."""
    try:
        driver = ctypes.CDLL("nvcuda.dll" if os.name == "nt" else "libcuda.so.1")
    except OSError:
        return "There is no NVIDIA driver on this machine."
    count = ctypes.c_int(0)
    for status in (driver.cuInit(0), driver.cuDeviceGetCount(ctypes.byref(count))):
        if status:
            return f"The NVIDIA driver finds no GPU that it can use (CUDA error {status})."
    if count.value == 0:
        return "The NVIDIA driver finds no GPU."
    if not any(_is_installed(package) for package in _PACKAGES):
        return "Neither cuda-python nor PyCUDA is installed: pip install -e .[gpu]"
    return None


@functools.cache
def open_cuda() -> Cuda:
    """The context of this process, made on the first call."""
    if _is_installed(_PACKAGES[0]):
        from engines.cuda_direct import CudaDirect

        return CudaDirect()
    from engines.cuda_objects import CudaObjects

    return CudaObjects()


def _is_installed(package: str) -> bool:
    try:
        return importlib.util.find_spec(package) is not None
    except ModuleNotFoundError:  # of what comes before the dot
        return False
