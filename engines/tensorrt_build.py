"""Plans: what TensorRT makes of a network for one kind of GPU, by trying out how each layer runs fastest.

TensorRT 8 is told which precisions it may choose from. From version 10 on the file says what every tensor is: INT8
where it has quantisation nodes, and for fp16 it is rewritten first.
"""

from __future__ import annotations

import functools
import logging
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from checkpoints import onnx_file
from checkpoints.errors import ModelError
from engines.blob import BlobDamaged, read_blob, write_blob
from engines.cuda import Device
from engines.half import half
from engines.prepare import PIXELS, prepared_network
from engines.spec import EngineSpec
from engines.uint8_rewrite import is_quantised

_log = logging.getLogger(__name__)

OLDEST = (8, 6)
_STRONGLY_TYPED_FROM = 10
_WORKSPACE_BYTES = 1 << 30


@dataclass(frozen=True, slots=True)
class Span:
    """The shapes (N, H, W, 3) that one plan serves; it is fastest at the usual one."""

    least: tuple[int, int, int, int]
    usual: tuple[int, int, int, int]
    most: tuple[int, int, int, int]


def build(spec: EngineSpec, device: Device, cache: Path, span: Span | None = None) -> bytes:
    """The plan; without a `span` it serves the shape of `spec` and no other."""
    import tensorrt as trt

    logger = trt_logger()
    logger.errors.clear()
    builder = trt.Builder(logger)
    quantised, file = _network_file(spec, span)
    if _version(trt)[0] >= _STRONGLY_TYPED_FROM:
        network = _strongly_typed(builder)
        config = builder.create_builder_config()
    else:
        network = _with_explicit_batch(builder)
        config = builder.create_builder_config()
        _allow_precisions(config, spec, quantised)
    _parse(network, file, spec)
    config.set_memory_pool_limit(trt.MemoryPoolType.WORKSPACE, min(_WORKSPACE_BYTES, device.free_bytes // 2))
    if spec.precision == "fp32":
        config.clear_flag(trt.BuilderFlag.TF32)  # it rounds to ten bits
    if span is not None:
        _add_profile(builder, config, span)
    timings = _Timings(cache, device)
    timings.give_to(config)
    plan = _built(builder, network, config, spec)
    timings.take_from(config)
    return plan


def trt_version() -> str:
    import tensorrt as trt

    return str(trt.__version__)


@functools.cache
def trt_logger() -> Any:  # noqa: ANN401
    """TensorRT keeps the first logger that it is given, so there is one for the process."""
    import tensorrt as trt

    class Logger(trt.ILogger):  # type: ignore[misc]
        def __init__(self) -> None:
            trt.ILogger.__init__(self)
            self.errors: list[str] = []

        def log(self, severity: Any, message: str) -> None:  # noqa: ANN401
            if severity in (trt.ILogger.INTERNAL_ERROR, trt.ILogger.ERROR):
                self.errors.append(message)
            _log.debug("TensorRT: %s", message)

    return Logger()


def _version(trt: Any) -> tuple[int, int]:  # noqa: ANN401
    major, minor = str(trt.__version__).split(".")[:2]
    return int(major), int(minor)


def _network_file(spec: EngineSpec, span: Span | None) -> tuple[bool, bytes]:
    """Whether it is quantised, and the ONNX file."""
    network = prepared_network(spec, any_shape=span is not None)
    quantised = is_quantised(network)
    if not quantised and spec.precision != "fp32" and int(trt_version().split(".")[0]) >= _STRONGLY_TYPED_FROM:
        network = half(network, spec.input)
    return quantised, onnx_file.write(network)


def _strongly_typed(builder: Any) -> Any:  # noqa: ANN401
    import tensorrt as trt

    return builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED))


def _with_explicit_batch(builder: Any) -> Any:  # noqa: ANN401
    import tensorrt as trt

    return builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.EXPLICIT_BATCH))


def _allow_precisions(config: Any, spec: EngineSpec, quantised: bool) -> None:  # noqa: ANN401
    import tensorrt as trt

    if spec.precision != "fp32":
        config.set_flag(trt.BuilderFlag.FP16)
    if quantised:
        config.set_flag(trt.BuilderFlag.INT8)


def _parse(network: Any, file: bytes, spec: EngineSpec) -> None:  # noqa: ANN401
    import tensorrt as trt

    parser = trt.OnnxParser(network, trt_logger())
    if not parser.parse(file):
        errors = [parser.get_error(index).desc() for index in range(parser.num_errors)]
        raise _refused(spec, errors, "Is it an ONNX file for this shape? Or try another version of TensorRT.")


def _add_profile(builder: Any, config: Any, span: Span) -> None:  # noqa: ANN401
    profile = builder.create_optimization_profile()
    shapes = [(count, height, width * colours) for count, height, width, colours in (span.least, span.usual, span.most)]
    profile.set_shape(PIXELS, *shapes)
    if config.add_optimization_profile(profile) < 0:
        raise ValueError(f"no network has the shapes {shapes}")


def _built(builder: Any, network: Any, config: Any, spec: EngineSpec) -> bytes:  # noqa: ANN401
    width, height = spec.size_wh
    what = f"{spec.name} {spec.batch} × {width}×{height} ({spec.precision})"
    _log.warning("TensorRT builds %s for this GPU. That takes minutes, the first time only.", what)
    begun_s = time.perf_counter()
    if _version_has_monitors():
        plan = _build_watched(builder, network, config, what)
    else:
        plan = builder.build_serialized_network(network, config)
    if plan is None:
        raise _refused(
            spec, trt_logger().errors, "Is there enough memory on the GPU? Or try another version of TensorRT."
        )
    _log.warning("TensorRT has built %s in %.0f s.", what, time.perf_counter() - begun_s)
    return bytes(plan)


def _version_has_monitors() -> bool:
    import tensorrt as trt

    return _version(trt)[0] >= 10


def _build_watched(builder: Any, network: Any, config: Any, what: str) -> Any:  # noqa: ANN401
    """With a bar; Ctrl+C ends it at the next step."""
    import tensorrt as trt

    class Monitor(trt.IProgressMonitor):  # type: ignore[misc]
        """The outermost phase is the bar. Called from several threads, which tqdm can bear."""

        def __init__(self) -> None:
            trt.IProgressMonitor.__init__(self)
            self.bar: tqdm[Any] | None = None
            self.phase = ""
            self.stopped = False

        def phase_start(self, phase_name: str, parent_phase: str | None, num_steps: int) -> None:
            if parent_phase is None and self.bar is None:
                self.bar, self.phase = tqdm(total=num_steps, desc=what, disable=None, leave=False), phase_name

        def step_complete(self, phase_name: str, step: int) -> bool:
            try:
                if self.bar is not None and phase_name == self.phase:
                    self.bar.update(step + 1 - self.bar.n)
            except KeyboardInterrupt:  # it must not fly through TensorRT's own code
                self.stopped = True
            return not self.stopped

        def phase_finish(self, phase_name: str) -> None:
            if self.bar is not None and phase_name == self.phase:
                self.bar.close()
                self.bar = None

    monitor = Monitor()
    config.progress_monitor = monitor
    plan = builder.build_serialized_network(network, config)
    if monitor.stopped:
        raise KeyboardInterrupt
    return plan


class _Timings:
    """How fast each way to run a layer is on this GPU: kept, so that the next plan is built faster."""

    def __init__(self, cache: Path, device: Device) -> None:
        self._key = f"TensorRT {trt_version()} {device.name} {device.capability}"
        self._path = cache / f"{self._key.replace(' ', '-').replace('/', '-')}.timings"

    def give_to(self, config: Any) -> None:  # noqa: ANN401
        try:
            known = read_blob(self._path, self._key)
        except BlobDamaged as error:
            _log.warning("TensorRT's timings %s cannot be used and are measured again: %s.", self._path, error)
            known = None
        timings = config.create_timing_cache(known.bytes.tobytes() if known else b"")
        config.set_timing_cache(timings, ignore_mismatch=False)

    def take_from(self, config: Any) -> None:  # noqa: ANN401
        try:
            write_blob(self._path, self._key, bytes(config.get_timing_cache().serialize()))
        except OSError as error:
            _log.warning("TensorRT's timings could not be kept in %s: %s.", self._path, error)


def _refused(spec: EngineSpec, errors: list[str], fix: str) -> ModelError:
    told = "\n".join(errors[:3]) or "TensorRT does not say why"
    return ModelError(f"TensorRT cannot build {spec.name}.", saw=f"{spec.model} at {spec.input_shape}: {told}", fix=fix)
