"""Engines that run on the processor through ONNX Runtime; nothing else in the program imports it.

The second choice: slower than OpenVINO on most processors, but there are more kinds of machines that it runs on.
"""

from __future__ import annotations

import functools
import importlib.util
import logging
from pathlib import Path
from typing import Any

import numpy as np

from checkpoints import onnx_file
from checkpoints.errors import ModelError
from engines.buffered import BufferedEngine
from engines.prepare import PIXELS, pixels_shape, prepared_network
from engines.spec import EngineSpec
from engines.uint8_rewrite import for_onnx_runtime, is_quantised

_log = logging.getLogger(__name__)


class ONNXEngine(BufferedEngine):
    """One session with kept buffers, run in the caller's time."""

    def __init__(self, session: Any, spec: EngineSpec) -> None:  # noqa: ANN401
        outputs = tuple(np.zeros(shape, np.float32) for shape in _output_shapes(session, spec))
        super().__init__(spec, np.zeros(spec.input_shape, np.uint8), outputs)
        self._session: Any = session
        self._binding: Any = session.io_binding()
        address = self._input.ctypes.data
        self._binding.bind_input(PIXELS, "cpu", 0, np.uint8, pixels_shape(spec), address)
        for output, array in zip(session.get_outputs(), self._outputs, strict=True):
            self._binding.bind_output(output.name, "cpu", 0, np.float32, array.shape, array.ctypes.data)

    def _infer(self) -> None:
        self._session.run_with_iobinding(self._binding)

    def _release(self) -> None:
        self._binding = None
        self._session = None


def open_engine(spec: EngineSpec, cache: Path) -> ONNXEngine:
    """Made from the model file each time: it takes little longer than reading something kept would."""
    del cache
    import onnxruntime

    if spec.precision == "fp16":
        _say_once("ONNX Runtime has no 16-bit arithmetic on processors: fp32 is used.")
    network = prepared_network(spec)
    if is_quantised(network):
        network = for_onnx_runtime(network, cuts_off=spec.pairs)
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = spec.threads
    settings.inter_op_num_threads = 1
    # Several stages share few cores: a thread that spins while it waits takes the time of the others.
    settings.add_session_config_entry("session.intra_op.allow_spinning", "0")
    settings.log_severity_level = 3  # what matters comes as an exception, too
    try:
        session = onnxruntime.InferenceSession(onnx_file.write(network), settings, ["CPUExecutionProvider"])
        engine = ONNXEngine(session, spec)
        engine.run()  # whether some layers fit together is found out only now
    except _errors() as error:
        raise ModelError(
            f"ONNX Runtime cannot run {spec.name}.",
            saw=f"{spec.model} at {spec.input_shape}: {str(error).strip().splitlines()[0]}",
            fix="Is it an ONNX file for this shape? Or try another version of ONNX Runtime.",
        ) from error
    return engine


def is_cached(spec: EngineSpec, cache: Path) -> bool:
    """Always: there is nothing that would have to be built first."""
    del spec, cache
    return True


def why_not() -> str | None:
    """Why engines cannot be run by ONNX Runtime here, None: they can."""
    if importlib.util.find_spec("onnxruntime") is None:
        return "The package onnxruntime is not installed: pip install -e .[onnx]"
    return None


@functools.cache
def _say_once(sentence: str) -> None:
    _log.warning("%s", sentence)


def _output_shapes(session: Any, spec: EngineSpec) -> list[tuple[int, ...]]:  # noqa: ANN401
    """As the runtime inferred them. Where it could not, the network is run once."""
    shapes = [tuple(output.shape) for output in session.get_outputs()]
    if all(isinstance(size, int) for shape in shapes for size in shape):
        return shapes
    outputs = session.run(None, {PIXELS: np.zeros(pixels_shape(spec), np.uint8)})
    return [output.shape for output in outputs]


def _errors() -> tuple[type[Exception], ...]:
    """ONNX Runtime's exceptions, which have no class in common but Exception."""
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    names = ("Fail", "InvalidArgument", "InvalidGraph", "InvalidProtobuf", "NotImplemented", "RuntimeException")
    return tuple(getattr(state, name) for name in names) + (RuntimeError, ValueError)
