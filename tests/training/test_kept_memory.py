from __future__ import annotations

import platform
import subprocess
import sys

import pytest


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="there is no glibc here")
def test_blocks_that_were_freed_are_not_mapped_anew() -> None:
    """In a process of its own: what is set stays set."""
    faults = """
import ctypes, resource
from training.kept_memory import keep_memory
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.malloc.argtypes, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_size_t], [ctypes.c_void_p]
def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(20):
        block = libc.malloc(16 << 20)
        ctypes.memset(block, 1, 16 << 20)
        libc.free(block)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
libc.mallopt(-3, 1 << 20)
before = faults()
assert keep_memory()
faults()
print(before, faults())
"""
    done = subprocess.run([sys.executable, "-c", faults], check=True, capture_output=True, text=True, timeout=60)
    before, after = map(int, done.stdout.split())
    assert after < before / 10
