"""Parts of names of files, out of texts that may hold anything."""

from __future__ import annotations


def safe(text: str) -> str:
    """Letters, digits, - and _; all else becomes _."""
    return "".join(c if c.isalnum() or c in "-_" else "_" for c in text)
