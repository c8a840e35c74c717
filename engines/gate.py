"""Nothing in fewer bits is used before it was compared with fp32 on this machine; what has passed is remembered."""

from __future__ import annotations

import hashlib
import json
import logging
import platform
import tempfile
from collections.abc import Callable
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from typing import Protocol

from engines import backends
from engines.models import Model
from engines.options import EngineOptions

_log = logging.getLogger(__name__)

_PACKAGES = {"openvino": "openvino", "onnx": "onnxruntime", "tensorrt": "tensorrt"}


class Drift(Protocol):
    def refuse_if_off(self, name: str) -> None:
        """ModelError with the figures."""


def ensure(model: Model, config: EngineOptions, measure: Callable[[EngineOptions], Drift]) -> None:
    """`measure` compares what is to be used with what the options give that it is handed."""
    backend = backends.choose(config.backend)
    if config.precision == "fp32" and backend == "openvino":
        return
    passed = config.cache / f"{model.known.name}-{_key(model, config, backend)}.agrees"
    if passed.exists():
        return
    with tempfile.TemporaryDirectory(prefix="facewire-fp32-") as aside:  # fp32 engines are large and not used again
        drift = measure(replace(config, precision="fp32", backend="openvino", cache=Path(aside)))
    drift.refuse_if_off(f"{model.known.title} ({config.precision}, {backend})")
    _log.info("%s in %s on %s %s.", model.known.name, config.precision, backend, drift)
    try:
        passed.parent.mkdir(parents=True, exist_ok=True)
        passed.write_text(f"{drift}\n", encoding="utf-8")
    except OSError as error:
        _log.warning("That %s agrees with fp32 cannot be remembered: %s.", model.known.name, error)


def _key(model: Model, config: EngineOptions, backend: str) -> str:
    int8 = config.precision == "int8"
    files = [file.int8.sha256 if int8 and file.int8 else file.sha256 for file in model.known.files]
    made_by = (files, config.precision, backend, _version(backend), platform.machine(), platform.node())
    return hashlib.sha256(json.dumps(made_by).encode()).hexdigest()[:16]


def _version(backend: str) -> str:
    try:
        return metadata.version(_PACKAGES[backend])
    except metadata.PackageNotFoundError:  # JetPack's own TensorRT comes without
        return "unknown"
