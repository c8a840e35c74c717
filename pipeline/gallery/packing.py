"""Pictures and changes as bytes, for journals and the desk: JSON for what is small, raw numbers and JPEG after it.

    u32 length of the JSON | u32 length of the rest | JSON | for each picture: D x float32, JPEG

Never pickles: what comes from a file or a socket is data, not code.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from checkpoints import json_text
from pipeline.gallery.edits import Change, Erase, Put, Rename
from pipeline.gallery.gallery import Cutout, Kept, Picture

HEAD = struct.Struct("!II")
LARGEST_BYTES = 256 << 20


def packed(said: Mapping[str, Any], pictures: Sequence[Kept] = (), tail: bytes = b"") -> bytes:
    """`tail`  more bytes after the pictures"""
    described = {**said, "pictures": [_described(kept) for kept in pictures]} if pictures else dict(said)
    head = json.dumps(described, ensure_ascii=False, separators=(",", ":")).encode()
    rest = b"".join(_raw(kept) for kept in pictures) + tail
    return HEAD.pack(len(head), len(rest)) + head + rest


def unpacked(head: bytes, rest: bytes) -> tuple[dict[str, Any], list[Kept], bytes]:
    """What was said, the pictures, and the tail; ValueError for bytes that are none of ours."""
    try:
        said = json_text.read(head)
        pictures, at = [], 0
        for described in said.pop("pictures", ()):
            kept, at = _picture(described, rest, at)
            pictures.append(kept)
    except (KeyError, TypeError, AttributeError, UnicodeDecodeError) as error:
        raise ValueError(f"not a record of a gallery: {error!r}") from error
    return said, pictures, rest[at:]


def unpacked_whole(data: bytes) -> tuple[dict[str, Any], list[Kept]]:
    """The same of bytes with their head; what is behind the pictures is no matter."""
    if len(data) < HEAD.size:
        raise ValueError("a record of a gallery that is cut short")
    head_bytes, _ = HEAD.unpack_from(data)
    said, pictures, _ = unpacked(data[HEAD.size : HEAD.size + head_bytes], data[HEAD.size + head_bytes :])
    return said, pictures


def packed_change(change: Change) -> bytes:
    if isinstance(change, Put):
        return packed({"change": "put"}, change.pictures)
    if isinstance(change, Rename):
        return packed({"change": "rename", "ids": change.ids, "name": change.name})
    return packed({"change": "erase", "ids": change.ids})


def said_change(said: Mapping[str, Any], pictures: Sequence[Kept]) -> Change:
    """ValueError for what says no change."""
    try:
        if said["change"] == "put":
            return Put(tuple(pictures))
        ids = tuple(str(one) for one in said["ids"])
        return Rename(ids, said["name"]) if said["change"] == "rename" else Erase(ids)
    except (KeyError, TypeError) as error:
        raise ValueError(f"not a change of a gallery: {error!r}") from error


def _described(kept: Kept) -> dict[str, Any]:
    picture = kept.picture
    described: dict[str, Any] = {
        "id": kept.id,
        "name": kept.name,
        "time": kept.time,
        "hash": picture.image_hash,
        "quality": picture.quality,
        "source": picture.source,
        "dim": int(picture.embedding.shape[0]),
    }
    if picture.cutout is not None:
        described["jpeg"] = len(picture.cutout.jpeg)
        described["landmarks"] = [float(value) for value in picture.cutout.landmarks.reshape(-1)]
    return described


def _raw(kept: Kept) -> bytes:
    jpeg = kept.picture.cutout.jpeg if kept.picture.cutout is not None else b""
    return kept.picture.embedding.astype("<f4").tobytes() + jpeg


def _picture(described: Mapping[str, Any], rest: bytes, at: int) -> tuple[Kept, int]:
    end = at + 4 * described["dim"]
    if len(rest) < end + described.get("jpeg", 0):
        raise ValueError("a record of a gallery that is cut short")
    embedding = np.frombuffer(rest[at:end], "<f4").astype(np.float32)
    cutout = None
    if "jpeg" in described:
        landmarks = np.asarray(described["landmarks"], np.float32).reshape(5, 2)
        cutout = Cutout(rest[end : end + described["jpeg"]], landmarks)
        end += described["jpeg"]
    picture = Picture(embedding, described["hash"], described["quality"], cutout, described["source"])
    return Kept(described["id"], described["name"], described["time"], picture), end
