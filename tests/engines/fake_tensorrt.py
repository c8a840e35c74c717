"""TensorRT without a GPU: the names of one version of its Python interface, its order of calls, and the numbers from
the ONNX file itself, computed by OpenVINO in fp32.

Calls in an order that would crash or be undefined raise `Misuse`; what TensorRT itself refuses it refuses here, with
False or None and a line in the log.
"""

from __future__ import annotations

import enum
import json
import threading
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

import numpy as np
import openvino as ov
from numpy.typing import NDArray

from checkpoints import onnx_file
from checkpoints.onnx_file import Network
from tests.engines.fake_cuda import FakeGpu

Shape = tuple[int, ...]


class Misuse(Exception):
    """An order of calls that the real one does not survive."""


def fake_tensorrt(version: str, gpu: FakeGpu) -> ModuleType:
    """The module `tensorrt` of this version on a machine with this GPU."""
    major = int(version.split(".")[0])
    strongly_typed_only = major >= 11

    class ILogger:
        INTERNAL_ERROR, ERROR, WARNING, INFO, VERBOSE = range(5)

        def __init__(self) -> None:
            self.is_made = True

        def log(self, severity: int, message: str) -> None:
            raise NotImplementedError

    class Logger(ILogger):
        def log(self, severity: int, message: str) -> None:
            pass

    class IProgressMonitor:
        def __init__(self) -> None:
            self.is_made = True

    class NetworkDefinitionCreationFlag(enum.IntEnum):
        if major < 11:
            EXPLICIT_BATCH = 0
        if major >= 10:
            STRONGLY_TYPED = 1

    class BuilderFlag(enum.Enum):
        if major < 11:
            FP16 = "FP16"
            INT8 = "INT8"
        TF32 = "TF32"

    class MemoryPoolType(enum.Enum):
        WORKSPACE = 0

    class TensorIOMode(enum.Enum):
        NONE = 0
        INPUT = 1
        OUTPUT = 2

    class ParserError:
        def __init__(self, description: str) -> None:
            self._description = description

        def desc(self) -> str:
            return self._description

    class INetworkDefinition:
        def __init__(self, strongly_typed: bool) -> None:
            self.strongly_typed = strongly_typed
            self.parsed: tuple[bytes, Network] | None = None

    class OnnxParser:
        def __init__(self, network: INetworkDefinition, logger: ILogger) -> None:
            self._network = network
            self._errors: list[ParserError] = []

        @property
        def num_errors(self) -> int:
            return len(self._errors)

        def get_error(self, index: int) -> ParserError:
            return self._errors[index]

        def parse(self, model: bytes) -> bool:
            try:
                network = onnx_file.read(model)
                ov.Core().read_model(model, b"")
            except (ValueError, RuntimeError) as error:
                self._errors.append(ParserError(str(error).strip()))
                return False
            for value in network.inputs:
                takers = [node.op for node in network.nodes if value.name in node.inputs]
                if value.dtype == np.uint8 and takers != ["Cast"]:
                    self._errors.append(ParserError("UINT8 inputs can only be cast"))
                    return False
            self._network.parsed = model, network
            return True

    class IOptimizationProfile:
        def __init__(self) -> None:
            self.shapes: dict[str, tuple[Shape, Shape, Shape]] = {}

        def set_shape(self, input: str, min: Shape, opt: Shape, max: Shape) -> None:  # noqa: A002
            self.shapes[input] = tuple(min), tuple(opt), tuple(max)

    class ITimingCache:
        def __init__(self, content: bytes) -> None:
            self.content = content

        def serialize(self) -> bytes:
            return self.content

    class IBuilderConfig:
        def __init__(self) -> None:
            self.flags_set: set[BuilderFlag] = {BuilderFlag.TF32}
            self.profile: IOptimizationProfile | None = None
            self.workspace_bytes = 0
            self.timings: ITimingCache | None = None
            if major >= 10:
                self.progress_monitor: Any = None

        def set_flag(self, flag: BuilderFlag) -> None:
            self.flags_set.add(BuilderFlag(flag))

        def clear_flag(self, flag: BuilderFlag) -> None:
            self.flags_set.discard(BuilderFlag(flag))

        def set_memory_pool_limit(self, pool: MemoryPoolType, pool_size: int) -> None:
            if pool_size > gpu.total_bytes:
                raise Misuse("the workspace is larger than the GPU's memory")
            self.workspace_bytes = pool_size

        def add_optimization_profile(self, profile: IOptimizationProfile) -> int:
            for least, usual, most in profile.shapes.values():
                if not all(a <= b <= c for a, b, c in zip(least, usual, most, strict=True)):
                    return -1
            self.profile = profile
            return 0

        def create_timing_cache(self, serialized_timing_cache: bytes) -> ITimingCache:
            return ITimingCache(serialized_timing_cache)

        def set_timing_cache(self, cache: ITimingCache, ignore_mismatch: bool) -> bool:
            assert not ignore_mismatch
            self.timings = cache
            return True

        def get_timing_cache(self) -> ITimingCache:
            if self.timings is None:
                raise Misuse("there is no timing cache")
            return self.timings

    class Builder:
        def __init__(self, logger: ILogger) -> None:
            if not getattr(logger, "is_made", False):
                raise Misuse("ILogger.__init__ was not called")
            gpu.need_context()
            self._logger = logger

        def create_network(self, flags: int = 0) -> INetworkDefinition:
            wants_types = major >= 10 and bool(flags & 1 << NetworkDefinitionCreationFlag.STRONGLY_TYPED)
            if major < 10 and not flags & 1 << NetworkDefinitionCreationFlag.EXPLICIT_BATCH:
                raise Misuse("ONNX files need an explicit batch")
            return INetworkDefinition(wants_types or strongly_typed_only)

        def create_builder_config(self) -> IBuilderConfig:
            return IBuilderConfig()

        def create_optimization_profile(self) -> IOptimizationProfile:
            return IOptimizationProfile()

        def build_serialized_network(self, network: INetworkDefinition, config: IBuilderConfig) -> bytes | None:
            if network.parsed is None:
                raise Misuse("the network is empty: nothing was parsed")
            reason = _cannot_build(network, config)
            if reason is not None:
                self._logger.log(ILogger.ERROR, reason)
                return None
            if major >= 10 and config.progress_monitor is not None and not _watched(config.progress_monitor):
                return None
            assert config.timings is not None
            config.timings.content += b"measured;"
            header = {
                "version": version,
                "gpu": [gpu.name, *gpu.capability],
                "flags": sorted(flag.name for flag in config.flags_set),
                "typed": network.strongly_typed,
                "profile": config.profile.shapes if config.profile else {},
            }
            module.built.append(header | {"workspace_bytes": config.workspace_bytes, "timings": config.timings.content})
            return json.dumps(header).encode() + b"\n" + network.parsed[0]

    def _cannot_build(network: INetworkDefinition, config: IBuilderConfig) -> str | None:
        assert network.parsed is not None
        if network.strongly_typed and {flag.name for flag in config.flags_set} & {"FP16", "INT8"}:
            return "precision flags on a strongly typed network"
        for value in network.parsed[1].inputs:
            if all(isinstance(size, int) for size in value.shape):
                continue
            if config.profile is None or value.name not in config.profile.shapes:
                return f"{value.name} has a dynamic shape and no profile"
        return None

    def _watched(monitor: IProgressMonitor) -> bool:
        """From another thread, as the real one may."""
        going_on: list[bool] = []

        def report() -> None:
            monitor.phase_start("Building", None, 2)
            for step in range(2):
                monitor.phase_start("Timing", "Building", 1)
                going_on.append(monitor.step_complete("Timing", 0))
                monitor.phase_finish("Timing")
                going_on.append(monitor.step_complete("Building", step))
            monitor.phase_finish("Building")

        thread = threading.Thread(target=report)
        thread.start()
        thread.join()
        return all(going_on)

    class Runtime:
        def __init__(self, logger: ILogger) -> None:
            if not getattr(logger, "is_made", False):
                raise Misuse("ILogger.__init__ was not called")
            gpu.need_context()
            self._logger = logger

        def deserialize_cuda_engine(self, serialized_engine: Any) -> ICudaEngine | None:
            header, _, model = bytes(memoryview(serialized_engine)).partition(b"\n")
            try:
                made = json.loads(header)
                if made["version"] != version or made["gpu"] != [gpu.name, *gpu.capability]:
                    raise ValueError("the plan was made by another version or for another GPU")
            except (ValueError, TypeError) as error:
                self._logger.log(ILogger.ERROR, f"deserializing failed: {error}")
                return None
            return ICudaEngine(self, made, model)

        def __del__(self) -> None:
            gpu.events.append("runtime")

    class ICudaEngine:
        def __init__(self, runtime: Runtime, made: dict[str, Any], model: bytes) -> None:
            self.logger = runtime._logger
            self.made = made
            self.model = ov.Core().read_model(model, b"")
            self.network = onnx_file.read(model)
            self._names = [value.name for value in (*self.network.inputs, *self.network.outputs)]
            self._inputs = {value.name for value in self.network.inputs}

        @property
        def num_io_tensors(self) -> int:
            return len(self._names)

        def get_tensor_name(self, index: int) -> str:
            return self._names[index]

        def get_tensor_mode(self, name: str) -> TensorIOMode:
            return TensorIOMode.INPUT if name in self._inputs else TensorIOMode.OUTPUT

        def get_tensor_dtype(self, name: str) -> Any:
            values = {value.name: value for value in (*self.network.inputs, *self.network.outputs)}
            return {"uint8": "UINT8", "float32": "FLOAT", "float16": "HALF"}[values[name].dtype.name]

        def create_execution_context(self) -> IExecutionContext:
            gpu.need_context()
            return IExecutionContext(self)

        def __del__(self) -> None:
            gpu.events.append("engine")

    class IExecutionContext:
        def __init__(self, engine: ICudaEngine) -> None:
            self._plan = engine
            self._shapes: dict[str, Shape] = {}
            self._addresses: dict[str, int] = {}
            self._compiled: Any = None
            self._is_warm = False

        def set_input_shape(self, name: str, shape: Sequence[int]) -> bool:
            (value,) = (value for value in self._plan.network.inputs if value.name == name)
            profile = self._plan.made["profile"].get(name)
            if profile is not None:
                fits = all(low <= size <= high for low, size, high in zip(profile[0], shape, profile[2], strict=True))
            else:
                fits = tuple(shape) == value.shape
            if not fits:
                self._plan.logger.log(ILogger.ERROR, f"{tuple(shape)} is out of the profile's range")
                return False
            self._shapes[name] = tuple(shape)
            self._plan.model.reshape({name: list(shape)})
            settings = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1}
            self._compiled = ov.Core().compile_model(self._plan.model, "CPU", settings)
            self._is_warm = False
            return True

        def infer_shapes(self) -> list[str]:
            return [value.name for value in self._plan.network.inputs if value.name not in self._shapes]

        def get_tensor_shape(self, name: str) -> Shape:
            if name in self._shapes:
                return self._shapes[name]
            if self._compiled is None:
                return (-1,)
            return tuple(self._compiled.output(name).shape)

        def set_tensor_address(self, name: str, memory: int) -> bool:
            self._addresses[name] = memory
            return memory in gpu.memory

        def execute_async_v3(self, stream_handle: int) -> bool:
            gpu.need_context()
            missing = set(self._plan._names) - set(self._addresses)
            if missing or self.infer_shapes():
                self._plan.logger.log(ILogger.ERROR, f"no address or shape for {sorted(missing)}")
                return False
            if stream_handle in gpu.recordings and not self._is_warm:
                raise Misuse("the first run after a new shape cannot be recorded")
            self._is_warm = True
            gpu.put(stream_handle, self._run)
            return True

        def _run(self) -> None:
            (value,) = self._plan.network.inputs
            shape = self._shapes[value.name]
            pixels = gpu.at(self._addresses[value.name], int(np.prod(shape))).reshape(shape)
            answer = self._compiled(pixels)
            for output in self._plan.network.outputs:
                array: NDArray[np.float32] = np.ascontiguousarray(answer[output.name])
                gpu.at(self._addresses[output.name], array.nbytes)[:] = array.view(np.uint8).ravel()
            gpu.runs += 1

        def __del__(self) -> None:
            gpu.events.append("context")

    module: Any = ModuleType("tensorrt")
    module.__spec__ = ModuleSpec("tensorrt", None)
    module.__version__ = version
    module.built = []
    module.uint8, module.float32, module.float16 = "UINT8", "FLOAT", "HALF"
    classes = [ILogger, Logger, NetworkDefinitionCreationFlag, BuilderFlag, MemoryPoolType, TensorIOMode, ParserError]
    classes += [INetworkDefinition, OnnxParser, IOptimizationProfile, ITimingCache, IBuilderConfig, Builder, Runtime]
    classes += [ICudaEngine, IExecutionContext, *([IProgressMonitor] if major >= 10 else [])]
    for kind in classes:
        setattr(module, kind.__name__, kind)
    return module
