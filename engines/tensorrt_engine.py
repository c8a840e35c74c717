"""Engines that run on an NVIDIA GPU through TensorRT.

Only this file and `tensorrt_build` import it, and not before an engine is opened: without a driver TensorRT ends the
process, so the driver is asked first.
"""

from __future__ import annotations

import importlib.util
import logging
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from checkpoints.errors import ModelError, SettingsError
from engines import cuda
from engines.blob import BlobDamaged, read_blob, write_blob
from engines.buffered import BufferedEngine
from engines.cuda import Cuda, CudaError
from engines.prepare import PIXELS, pixels_shape, tensor_names
from engines.spec import EngineSpec
from engines.tensorrt_build import OLDEST, Span, build, trt_logger, trt_version

_log = logging.getLogger(__name__)

# Part of the cache key: to be raised when the same model file gives another plan.
_PREPARATION = "1"


class PlanRefused(Exception):
    """TensorRT does not take a plan, though it is what was written."""


class TensorRTEngine(BufferedEngine):
    """One plan with its context, stream and memory; all that one run does is one graph where that can be had."""

    def __init__(self, plan: NDArray[np.uint8] | bytes, spec: EngineSpec, gpu: Cuda) -> None:
        self._gpu = gpu
        self._graph: int | None = None
        self._runtime: Any
        self._engine: Any
        self._context: Any
        gpu.make_current()
        with ExitStack() as closing:  # each thing is given back before what it was made from
            self._stream = gpu.new_stream()
            closing.callback(gpu.free_stream, self._stream)
            self._runtime, self._engine = _deserialised(plan)
            closing.callback(self._drop, "_runtime")
            closing.callback(self._drop, "_engine")
            self._context = _context(self._engine, spec)
            closing.callback(self._drop, "_context")
            shapes = [tuple(self._context.get_tensor_shape(name)) for name in tensor_names(spec)]
            outputs = tuple(gpu.pinned(shape, np.float32) for shape in shapes)
            super().__init__(spec, gpu.pinned(spec.input_shape, np.uint8), outputs)
            self._input_address = self._bind(PIXELS, self._input, closing)
            self._addresses = [
                self._bind(name, output, closing)
                for name, output in zip(tensor_names(spec), self._outputs, strict=True)
            ]
            self._enqueue()  # the first time TensorRT does more than what belongs into the graph
            gpu.synchronise(self._stream)
            self._graph = self._recorded()
            if self._graph is not None:
                closing.callback(gpu.free_graph, self._graph)
            self._closing = closing.pop_all()

    def _infer(self) -> None:
        self._gpu.make_current()
        if self._graph is not None:
            self._gpu.launch(self._graph, self._stream)
        else:
            self._enqueue()
        self._gpu.synchronise(self._stream)

    def _release(self) -> None:
        self._gpu.make_current()
        self._closing.close()

    def _bind(self, name: str, host: NDArray[Any], closing: ExitStack) -> int:
        address = self._gpu.allocate(host.nbytes)
        closing.callback(self._gpu.free, address)
        if not self._context.set_tensor_address(name, address):
            raise CudaError(f"TensorRT does not take memory for {name}: {trt_logger().errors[-1:]}")
        return address

    def _enqueue(self) -> None:
        self._gpu.upload(self._input, self._input_address, self._stream)
        if not self._context.execute_async_v3(self._stream):
            raise CudaError(f"TensorRT does not run {self._spec.name}: {trt_logger().errors[-1:]}")
        for address, output in zip(self._addresses, self._outputs, strict=True):
            self._gpu.download(address, output, self._stream)

    def _recorded(self) -> int | None:
        try:
            return self._gpu.record(self._enqueue, self._stream)
        except self._gpu.errors as error:
            _log.warning("%s runs without a CUDA graph, layer by layer: %s.", self._spec.name, error)
            return None

    def _drop(self, name: str) -> None:
        setattr(self, name, None)


def open_engine(spec: EngineSpec, cache: Path, span: Span | None = None) -> TensorRTEngine:
    """From the kept plan where that can be used, else built from the model file, which takes minutes."""
    if (reason := why_not()) is not None:
        raise SettingsError(
            "TensorRT cannot be used here.", saw=reason, fix="Choose another backend: auto, openvino, onnx."
        )
    gpu = cuda.open_cuda()
    refusals: tuple[type[Exception], ...] = (PlanRefused, *gpu.errors)
    key, path = _place(spec, cache, gpu, span)
    try:
        try:
            if (blob := read_blob(path, key)) is not None:
                return TensorRTEngine(blob.bytes, spec, gpu)
        except (BlobDamaged, PlanRefused) as error:
            _log.warning("The plan %s cannot be used and is built again: %s.", path, error)
        plan = build(spec, gpu.device(), cache, span)
        try:
            write_blob(path, key, plan)
        except OSError as error:
            _log.warning("The plan %s could not be kept, so each start builds it: %s.", path, error)
        return TensorRTEngine(plan, spec, gpu)
    except refusals as error:
        raise ModelError(f"The GPU cannot run {spec.name}.", saw=str(error), fix="Is its memory full?") from error


def is_cached(spec: EngineSpec, cache: Path, span: Span | None = None) -> bool:
    if why_not() is not None:
        return False
    key, path = _place(spec, cache, cuda.open_cuda(), span)
    try:
        return read_blob(path, key) is not None
    except BlobDamaged:
        return False


def why_not() -> str | None:
    """Why engines cannot be run by TensorRT here, None: they can."""
    if (reason := cuda.why_not()) is not None:
        return reason
    if importlib.util.find_spec("tensorrt") is None:
        return "The package tensorrt is not installed: pip install -e .[gpu], or JetPack's own on a Jetson."
    try:
        version = trt_version()
    except (ImportError, OSError) as error:
        return f"The package tensorrt cannot be imported: {error}"
    if tuple(int(number) for number in version.split(".")[:2]) < OLDEST:
        return f"TensorRT {version} is too old: {OLDEST[0]}.{OLDEST[1]} is the oldest that will do."
    return None


def _place(spec: EngineSpec, cache: Path, gpu: Cuda, span: Span | None) -> tuple[str, Path]:
    """The file is named for the engine alone, so a plan of another GPU or TensorRT is found, told and replaced."""
    device = gpu.device()
    spec = replace(spec, threads=0)  # they make no difference here
    name = spec.key(runtime="TensorRT", span=repr(span))
    key = spec.key(
        runtime=f"TensorRT {trt_version()}",
        device=f"{device.name} {device.capability}",
        preparation=_PREPARATION,
        span=repr(span),
    )
    return key, cache / f"{spec.name}-{name[:16]}.tensorrt"


def _deserialised(plan: NDArray[np.uint8] | bytes) -> tuple[Any, Any]:
    """The runtime and the engine."""
    import tensorrt as trt

    trt_logger().errors.clear()
    runtime = trt.Runtime(trt_logger())
    engine = runtime.deserialize_cuda_engine(plan)
    if engine is None:
        raise PlanRefused("; ".join(trt_logger().errors[-1:]) or "TensorRT does not say why")
    return runtime, engine


def _context(engine: Any, spec: EngineSpec) -> Any:  # noqa: ANN401
    """A context for the shape of `spec`."""
    import tensorrt as trt

    modes = {name: engine.get_tensor_mode(name) for name in map(engine.get_tensor_name, range(engine.num_io_tensors))}
    wanted = {PIXELS: trt.TensorIOMode.INPUT} | dict.fromkeys(tensor_names(spec), trt.TensorIOMode.OUTPUT)
    if modes != wanted or any(engine.get_tensor_dtype(name) != trt.float32 for name in tensor_names(spec)):
        raise PlanRefused(f"its tensors are {', '.join(modes)}")
    context = engine.create_execution_context()
    if context is None or not context.set_input_shape(PIXELS, pixels_shape(spec)):
        raise PlanRefused("; ".join(trt_logger().errors[-1:]) or f"there is no context for {spec.input_shape}")
    if missing := context.infer_shapes():
        raise PlanRefused(f"the shapes of {', '.join(missing)} are not known")
    return context
