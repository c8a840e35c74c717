"""What is in a point of Qdrant, and in `space.json`: the same on disk and on a server."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from checkpoints import json_text
from checkpoints.errors import GalleryError
from pipeline.gallery.cutouts import sync_folder
from pipeline.gallery.edits import Entry
from pipeline.gallery.gallery import Cutout, Kept, Picture

# 1: {"space", "dim"}, people with a name only, no index of names
# 2: strangers (person is null), source, landmarks, cut-outs in files
VERSION = 2
LISTED = ["person", "image_hash", "time"]


def payload_of(kept: Kept, space: str) -> dict[str, Any]:
    payload: dict[str, Any] = {
        "person": kept.name,
        "image_hash": kept.picture.image_hash,
        "quality": kept.picture.quality,
        "time": kept.time,
        "embedding_space": space,
    }
    if kept.picture.source:
        payload["source"] = kept.picture.source
    if kept.picture.cutout is not None:
        payload["landmarks"] = [float(value) for value in kept.picture.cutout.landmarks.reshape(-1)]
    return payload


def entry_of(one: str, payload: Mapping[str, Any]) -> Entry:
    return Entry(one, payload.get("person"), payload["image_hash"], payload["time"])


def kept_of(one: str, payload: Mapping[str, Any], embedding: NDArray[np.float32], jpeg: bytes | None) -> Kept:
    """A cut-out whose file or place is missing is no cut-out."""
    cutout = None
    if jpeg is not None and "landmarks" in payload:
        cutout = Cutout(jpeg, np.asarray(payload["landmarks"], np.float32).reshape(5, 2))
    picture = Picture(embedding, payload["image_hash"], payload["quality"], cutout, payload.get("source", ""))
    return Kept(one, payload.get("person"), payload["time"], picture)


def write_space(home: Path, space: str, dim: int) -> None:
    making = home / "space.json.new"
    with making.open("w", encoding="utf-8") as file:
        json.dump({"version": VERSION, "space": space, "dim": dim}, file)
        file.flush()
        os.fsync(file.fileno())
    making.replace(home / "space.json")
    sync_folder(home)


def read_space(home: Path) -> tuple[int, str, int]:
    """Version, space, dim."""
    path = home / "space.json"
    try:
        said = json_text.read(path.read_text(encoding="utf-8"))
        version, space, dim = int(said.get("version", 1)), str(said["space"]), int(said["dim"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
        raise GalleryError(
            "The gallery cannot be read.",
            saw=f"{path}: {error}",
            fix="see that the files are yours; else move the folder away and enrol again",
        ) from error
    if version > VERSION:
        raise GalleryError(
            "The gallery was written by a newer version of this program.",
            saw=f"{path}: version {version}, this program writes version {VERSION}",
            fix="update this program, or use another gallery with --gallery DIR",
        )
    return version, space, dim
