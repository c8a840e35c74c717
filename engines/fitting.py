"""Which precision suits this machine best where nobody has chosen one."""

from __future__ import annotations

import platform
from pathlib import Path

from checkpoints.errors import SettingsError
from engines import backends
from engines.options import Backend, Precision

# What /proc/cpuinfo calls arithmetic in 16 bits: of Intel and AMD, and of ARM.
_SIXTEEN_BITS = frozenset({"avx512_bf16", "amx_bf16", "avx512_fp16", "amx_fp16", "asimdhp", "bf16"})


def precision(backend: Backend, cpuinfo: Path = Path("/proc/cpuinfo")) -> Precision:
    """int8 on a GPU and on processors that would run 16-bit networks in 32 bits, else fp16."""
    try:
        runtime = backends.choose(backend)
    except SettingsError:
        return "fp16"  # whoever opens an engine there says what is wrong
    if runtime == "tensorrt":
        return "int8"
    return "fp16" if _has_sixteen_bits(cpuinfo) else "int8"


def _has_sixteen_bits(cpuinfo: Path) -> bool:
    if not cpuinfo.exists():
        return platform.machine() in ("arm64", "aarch64")
    for line in cpuinfo.read_text(encoding="ascii", errors="replace").splitlines():
        key, _, words = line.partition(":")
        if key.strip().lower() in ("flags", "features"):
            return not _SIXTEEN_BITS.isdisjoint(words.lower().split())
    return False
