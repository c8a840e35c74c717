"""What NumPy raises for a file that cannot be read, is none of its own, or is damaged."""

from __future__ import annotations

import struct
import tokenize
import zipfile
import zlib

UNREADABLE: tuple[type[Exception], ...] = (
    *(OSError, ValueError, KeyError, TypeError, AttributeError, EOFError, OverflowError, MemoryError, SyntaxError),
    *(NotImplementedError, RuntimeError, struct.error, zlib.error, zipfile.BadZipFile, tokenize.TokenError),
)
