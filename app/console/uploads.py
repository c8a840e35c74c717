"""Pictures that somebody sends: bounded in bytes and pixels before they are decoded, never written to the disk."""

from __future__ import annotations

from fastapi import UploadFile

from app.console.picture_size import size_of

LARGEST_BYTES = 10 << 20
LARGEST_PIXELS = 40_000_000
MOST_PICTURES = 50
_LONGEST_LABEL = 80


def refusal(content: bytes) -> str | None:
    """Why these bytes are not even looked at; None when they may be decoded."""
    if not content:
        return "the file is empty"
    if len(content) > LARGEST_BYTES:
        return f"too large ({len(content) / 2**20:.1f} MB, at most {LARGEST_BYTES >> 20} MB)"
    size_wh = size_of(content)
    if size_wh is None:
        begin = content[:8].decode("ascii", "replace").replace("\ufffd", "?")
        return f"not a JPEG, PNG or WebP picture (it begins with {begin!r})"
    if size_wh[0] * size_wh[1] > LARGEST_PIXELS:
        return f"too many pixels ({size_wh[0]}x{size_wh[1]}, at most {LARGEST_PIXELS // 10**6} megapixels)"
    return None


async def content_of(upload: UploadFile) -> bytes:
    """At most one byte more than may be: enough to see that it is too much."""
    return await upload.read(LARGEST_BYTES + 1)


def label_of(upload: UploadFile) -> str:
    """What people see of the file's name: it is never used as a path."""
    name = (upload.filename or "picture").replace("\\", "/").rpartition("/")[2]
    return "".join(c for c in name if c.isprintable())[:_LONGEST_LABEL] or "picture"
