"""Engines that run on the processor through OpenVINO; nothing else in the program uses it."""

from __future__ import annotations

import functools
import logging
import platform
from pathlib import Path
from typing import Any

import numpy as np

from checkpoints import onnx_file
from checkpoints.errors import ModelError
from checkpoints.onnx_file import Network
from engines.blob import Blob, BlobDamaged, read_blob, write_blob
from engines.buffered import BufferedEngine
from engines.options import Precision
from engines.prepare import prepared_network
from engines.silent_openvino import ov
from engines.spec import EngineSpec
from engines.uint8_rewrite import is_quantised, uint8_activations

_log = logging.getLogger(__name__)

# Part of the cache key: to be raised when something here or in what is imported here changes what comes out of the
# same model file.
_PREPARATION = "4"

# Beginnings of lines in OpenVINO's errors that only its developers have a use for.
_SAYS_NOTHING = ("FrontEnd API", "Model wasn't", "Summary", "To facilitate", "While validating node")


class OpenVINOEngine(BufferedEngine):
    """One compiled network with one request, run in the caller's time."""

    def __init__(self, compiled: Any, spec: EngineSpec, blob: Blob | None) -> None:  # noqa: ANN401
        outputs = tuple(np.zeros(tuple(port.shape), np.float32) for port in compiled.outputs)
        super().__init__(spec, np.zeros(spec.input_shape, np.uint8), outputs)
        self._compiled: Any = compiled
        self._blob: Blob | None = blob  # the weights may still lie in it
        self._request: Any = compiled.create_infer_request()
        flat = self._input.reshape(tuple(compiled.input(0).shape))
        self._request.set_input_tensor(ov.Tensor(flat, shared_memory=True))
        for index, output in enumerate(self._outputs):
            self._request.set_output_tensor(index, ov.Tensor(output, shared_memory=True))

    def _infer(self) -> None:
        self._request.infer(share_outputs=True)  # without sharing, every output is copied into a dictionary

    def _release(self) -> None:
        # The request before the network, the network before the memory that its weights may lie in.
        self._request = None
        self._compiled = None
        self._blob = None


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


def _reason(error: RuntimeError) -> str:
    """What OpenVINO says without the places in its own source."""
    lines = [line.strip() for line in str(error).splitlines()]
    told = [line for line in lines if line and "src/" not in line and not line.startswith(_SAYS_NOTHING)]
    return "\n".join(told[:5]) or str(error)


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


def _by_its_rules(network: Network, spec: EngineSpec) -> Network:
    """Quantised activations as uint8, which layers take without a detour: a tenth of FaceNet's time.

    Nor does it only cost time: OpenVINO 2026.4 loses scales of int8 activations with zero point 0 in networks that
    join maps, and FaceNet's embeddings turn by 50 degrees.
    """
    return uint8_activations(network, cuts_off=spec.pairs) if is_quantised(network) else network


def _built(spec: EngineSpec, key: str, path: Path) -> OpenVINOEngine:
    network = onnx_file.write(_by_its_rules(prepared_network(spec), spec))
    try:
        # The second argument says that the first one is not a path.
        compiled = _core().compile_model(_core().read_model(network, b""), "CPU", _settings(spec))
        if any(port.partial_shape.is_dynamic for port in compiled.outputs):
            raise RuntimeError("How large the outputs are depends on what is in the picture.")
    except RuntimeError as error:
        raise ModelError(
            f"OpenVINO cannot compile {spec.name}.",
            saw=f"{spec.model} at {spec.input_shape}:\n{_reason(error)}",
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
