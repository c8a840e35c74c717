"""Engines that run on the processor through OpenVINO; nothing else in the program imports it."""

from __future__ import annotations

import functools
import logging
import platform
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov
from numpy.typing import NDArray
from openvino import opset13 as ops

from checkpoints.errors import ModelError
from engines.blob import Blob, BlobDamaged, read_blob, write_blob
from engines.options import Precision
from engines.spec import EngineSpec

_log = logging.getLogger(__name__)

# Part of the cache key: to be raised when `_prepared` or `_settings` change what comes out of the same model file.
_PREPARATION = "1"


class OpenVINOEngine:
    """One compiled network with one request, run in the caller's time."""

    def __init__(self, compiled: Any, spec: EngineSpec, blob: Blob | None) -> None:  # noqa: ANN401
        self._spec = spec
        self._compiled = compiled
        self._blob = blob  # the weights may still lie in it
        self._request = compiled.create_infer_request()
        self._input: NDArray[np.uint8] = np.zeros(spec.input_shape, np.uint8)
        flat = self._input.reshape(tuple(compiled.input(0).shape))
        self._request.set_input_tensor(ov.Tensor(flat, shared_memory=True))
        self._outputs = tuple(np.zeros(tuple(port.shape), np.float32) for port in compiled.outputs)
        for index, output in enumerate(self._outputs):
            self._request.set_output_tensor(index, ov.Tensor(output, shared_memory=True))

    @property
    def input_shape(self) -> tuple[int, int, int, int]:
        return self._spec.input_shape

    @property
    def output_names(self) -> tuple[str, ...]:
        return self._spec.outputs

    @property
    def output_shapes(self) -> tuple[tuple[int, ...], ...]:
        return tuple(output.shape for output in self._outputs)

    @property
    def input(self) -> NDArray[np.uint8]:
        return self._input

    def run(self, batch: NDArray[np.uint8] | None = None) -> tuple[NDArray[np.float32], ...]:
        if batch is not None:
            np.copyto(self._input, batch, casting="no")
        self._request.infer(share_outputs=True)  # without sharing, every output is copied into a dictionary
        return self._outputs

    def close(self) -> None:
        # The request before the network, the network before the memory that its weights may lie in.
        for part in ("_request", "_compiled", "_blob"):
            if hasattr(self, part):
                delattr(self, part)


def open_engine(spec: EngineSpec, cache: Path) -> OpenVINOEngine:
    """From the cache where that can be used, else compiled from the model file and put there."""
    key, path = _place(spec, cache)
    try:
        if (blob := read_blob(path, key)) is not None:
            return _imported(blob, spec)
    except (BlobDamaged, RuntimeError) as error:
        _log.warning("The cached engine %s cannot be used and is built again: %s.", path, error)
    return _built(spec, key, path)


def is_cached(spec: EngineSpec, cache: Path) -> bool:
    key, path = _place(spec, cache)
    try:
        return read_blob(path, key) is not None
    except BlobDamaged:
        return False


def hint(precision: Precision) -> str:
    """What OpenVINO is to compute in: never left open, since its own choice differs from machine to machine."""
    if precision == "int8":  # what is quantised runs in int8 by itself, the rest in the best of the others
        precision = "fp16"
    capabilities = _core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    if precision == "fp16":
        for capability, name in (("BF16", "bf16"), ("FP16", "f16")):
            if capability in capabilities:
                return name
        _say_once("This processor has no 16-bit arithmetic for networks: fp32 is used.")
    return "f32"


@functools.cache
def _say_once(sentence: str) -> None:
    _log.warning("%s", sentence)


@functools.cache
def _core() -> Any:  # noqa: ANN401
    return ov.Core()


@functools.cache
def _machine() -> str:
    """What a compiled network depends on besides its model."""
    core = _core()
    names = [core.get_property("CPU", name) for name in ("FULL_DEVICE_NAME", "OPTIMIZATION_CAPABILITIES")]
    flags = Path("/proc/cpuinfo")
    lines = flags.read_text(encoding="ascii", errors="replace").splitlines() if flags.exists() else []
    features = next((line for line in lines if line.startswith(("flags", "Features"))), "")
    return f"{platform.machine()} {names} {features}"


def _place(spec: EngineSpec, cache: Path) -> tuple[str, Path]:
    key = spec.key(
        runtime=f"OpenVINO {ov.get_version()}",
        processor=_machine(),
        preparation=_PREPARATION,
        hint=hint(spec.precision),
    )
    return key, cache / f"{spec.name}-{key[:16]}.openvino"


def _settings(spec: EngineSpec) -> dict[str, object]:
    return {
        "INFERENCE_PRECISION_HINT": hint(spec.precision),
        "INFERENCE_NUM_THREADS": spec.threads,
        "NUM_STREAMS": 1,
        "PERFORMANCE_HINT": "LATENCY",
        # Several stages share few cores: pinned to the same core they would wait for each other.
        "ENABLE_CPU_PINNING": False,
    }


def _imported(blob: Blob, spec: EngineSpec) -> OpenVINOEngine:
    compiled = _core().import_model(ov.Tensor(blob.bytes, shared_memory=True), "CPU", _settings(spec))
    blob.release_memory()
    return OpenVINOEngine(compiled, spec, blob)


def _built(spec: EngineSpec, key: str, path: Path) -> OpenVINOEngine:
    try:
        compiled = _core().compile_model(_prepared(_core().read_model(spec.model), spec), "CPU", _settings(spec))
    except RuntimeError as error:
        raise ModelError(
            f"OpenVINO cannot compile {spec.name}.",
            saw=f"{spec.model} at {spec.input_shape}: {str(error).strip().splitlines()[-1]}",
            fix="Is it an ONNX file for this shape? Or try another version of OpenVINO.",
        ) from error
    try:
        write_blob(path, key, compiled.export_model().getvalue())
        blob = read_blob(path, key)
    except (OSError, BlobDamaged) as error:
        _log.warning("The engine %s could not be cached, so each start compiles it: %s.", path, error)
        return OpenVINOEngine(compiled, spec, None)
    if blob is None:  # somebody empties the cache at this moment
        return OpenVINOEngine(compiled, spec, None)
    del compiled  # read back it takes less memory: the model's own weights stay in the file
    return _imported(blob, spec)


def _prepared(model: Any, spec: EngineSpec) -> Any:  # noqa: ANN401
    """The model with a fixed shape, bytes of a picture as input and log odds where they are wanted."""
    count, height, width, channels = shape = spec.input_shape
    wanted = shape if spec.layout == "NHWC" else (count, channels, height, width)
    model.reshape({spec.input: wanted})
    # A row of pixels is one dimension here, so that OpenVINO cannot move the transposition before the conversion:
    # it would then really shuffle bytes, a tenth of P-Net's time, instead of choosing a memory layout.
    pixels = ops.parameter([count, height, width * channels], ov.Type.u8)
    values = ops.reshape(ops.convert(pixels, "f32"), np.array(shape), special_zero=False)
    if spec.colour == "RGB":
        values = ops.gather(values, np.array([2, 1, 0]), np.array(3))
    if any(spec.mean):
        values = ops.subtract(values, _for_each_colour(spec.mean))
    if any(scale != 1 for scale in spec.scale):
        values = ops.multiply(values, _for_each_colour(spec.scale))
    if spec.layout == "NCHW":
        values = ops.transpose(values, np.array([0, 3, 1, 2]))
    for target in model.input(spec.input).get_target_inputs():
        target.replace_source_output(values.output(0))
    results = [_result(model.output(name), name in spec.log_odds) for name in spec.outputs]
    return ov.Model(results, [pixels], spec.name)


def _for_each_colour(numbers: tuple[float, float, float]) -> NDArray[np.float32]:
    """A single number where all are the same: OpenVINO then folds it into the first convolution."""
    return np.array(numbers if len(set(numbers)) > 1 else numbers[0], np.float32)


def _result(output: Any, log_odds: bool) -> Any:  # noqa: ANN401
    source = output.get_node().input_value(0)
    if log_odds:
        if source.get_node().get_type_name() != "Softmax":
            raise RuntimeError(f"{output.any_name} is not a softmax")
        # log(yes / no) of a softmax is the difference of what goes into it.
        source = ops.matmul(source.get_node().input_value(0), np.array([[-1], [1]], np.float32), False, False).output(0)
    return ops.result(source)
