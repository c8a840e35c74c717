"""Which precision suits this machine best where nobody has chosen one."""

from __future__ import annotations

import platform
from pathlib import Path

from checkpoints.errors import SettingsError
from engines import backends
from engines.options import Backend, Precision

_HALF_ON_ARM = "asimdhp"  # what Linux calls the 16-bit arithmetic of an ARM processor


def precision(backend: Backend, cpuinfo: Path = Path("/proc/cpuinfo")) -> Precision:
    """int8, but on ARM processors with 16-bit arithmetic, where OpenVINO has few layers in int8, fp16."""
    try:
        runtime = backends.choose(backend)
    except SettingsError:
        return "fp16"  # whoever opens an engine there says what is wrong
    return "fp16" if runtime != "tensorrt" and _halves_on_arm(cpuinfo) else "int8"


def _halves_on_arm(cpuinfo: Path) -> bool:
    if not cpuinfo.exists():
        return platform.machine() in ("arm64", "aarch64")
    for line in cpuinfo.read_text(encoding="ascii", errors="replace").splitlines():
        key, _, words = line.partition(":")
        if key.strip() == "Features":
            return _HALF_ON_ARM in words.split()
    return False
