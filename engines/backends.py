"""Which runtime serves which choice of backend, and why one cannot be used here."""

from __future__ import annotations

import importlib.util
from typing import Literal

from checkpoints.errors import SettingsError
from engines import onnx_engine, tensorrt_engine
from engines.options import Backend

Runtime = Literal["tensorrt", "openvino", "onnx"]

BY_PREFERENCE: tuple[Runtime, ...] = ("tensorrt", "openvino", "onnx")


def choose(backend: Backend) -> Runtime:
    """The runtime for this choice; with "auto" the best one that there is. SettingsError if it cannot be used."""
    if backend != "auto":
        if (reason := why_not(backend)) is not None:
            usable = [name for name in BY_PREFERENCE if why_not(name) is None]
            raise SettingsError(
                f"Engines cannot be run by {backend} here.",
                saw=reason,
                fix=f"Valid here: {', '.join(['auto', *usable])}.",
            )
        return backend
    reasons = {name: why_not(name) for name in BY_PREFERENCE}
    for name, reason in reasons.items():
        if reason is None:
            return name
    raise SettingsError(
        "No runtime for engines can be used here.", saw="\n".join(f"{n}: {r}" for n, r in reasons.items())
    )


def why_not(name: Runtime) -> str | None:
    """The plain reason why this runtime cannot be used here, None: it can. Opens nothing on a GPU."""
    if name == "tensorrt":
        return tensorrt_engine.why_not()
    if name == "onnx":
        return onnx_engine.why_not()
    if importlib.util.find_spec("openvino") is None:
        return "The package openvino is not installed: pip install -e ."
    return None
