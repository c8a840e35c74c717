"""Memory that is freed is kept for the next step instead of being given back to the system.

glibc gives every large block back and asks for it again, page by page: half of the time of a step on a processor.
"""

from __future__ import annotations

import ctypes
import platform

_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD = -1, -2, -3  # glibc's numbers
_LARGEST = 32 << 20  # that glibc takes for a block of its own heap
_NEVER = (1 << 31) - 1
_AHEAD = 256 << 20


def keep_memory() -> bool:
    """For the rest of this process; False where there is no glibc."""
    if platform.libc_ver()[0] != "glibc":
        return False
    libc = ctypes.CDLL(None)
    settings = ((_MMAP_THRESHOLD, _LARGEST), (_TRIM_THRESHOLD, _NEVER), (_TOP_PAD, _AHEAD))
    return all(libc.mallopt(name, value) for name, value in settings)
