"""What every gallery checks before it takes pictures or answers a search."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from checkpoints.errors import EnrolmentError, GalleryError
from pipeline.gallery.gallery import Picture

_LONGEST_NAME = 100


def check_name(name: str | None) -> None:
    """EnrolmentError for what cannot be a name; None, a stranger, is fine.

    Names end up in tables, in folders NAME/*.jpg and in paths of other tools.
    """
    if name is None:
        return
    if not name or name != name.strip() or not name.isprintable() or name in (".", ".."):
        raise _no_name(repr(name[:_LONGEST_NAME]), "use letters, without spaces at the ends")
    if "/" in name or "\\" in name:
        raise _no_name(repr(name[:_LONGEST_NAME]), "use a name without slashes")
    if len(name) > _LONGEST_NAME:
        raise _no_name(f"{len(name)} characters: {name[:20]!r}…", f"use at most {_LONGEST_NAME} characters")


def is_id(one: str) -> bool:
    """Whether it is a UUID as this program writes them."""
    try:
        return str(UUID(one)) == one
    except (ValueError, AttributeError, TypeError):
        return False


def check_id(one: str) -> None:
    """Ids become names of files: GalleryError for one that could be anything else."""
    if not is_id(one):
        raise GalleryError("A picture has an id that is none.", saw=repr(one)[:80], fix="ids are UUIDs in lower case")


def unit_rows(embeddings: NDArray[np.float32], *, space: str, dim: int) -> NDArray[np.float32]:
    """(N, D) rows of unit length; a row that is not finite or has no length becomes zeros: it resembles nobody."""
    if embeddings.ndim != 2 or embeddings.shape[1] != dim:
        raise GalleryError(
            "The embedding does not belong in this gallery.",
            saw=f"shape {embeddings.shape}, but the gallery keeps {dim} numbers for each face, of {space}",
            fix="use the embedder that the gallery was made with, or another gallery with --gallery DIR",
        )
    rows = np.where(np.isfinite(embeddings).all(axis=1, keepdims=True), embeddings, 0).astype(np.float32)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    unit: NDArray[np.float32] = np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 0)
    return unit


def with_direction(picture: Picture, *, space: str, dim: int) -> Picture:
    """The same with an embedding of unit length; ValueError for one that points nowhere."""
    (row,) = unit_rows(np.asarray(picture.embedding)[None], space=space, dim=dim)
    if not row.any():
        raise ValueError(f"picture {picture.image_hash} has an embedding without a direction")
    return replace(picture, embedding=row)


def fresh(name: str | None, pictures: Sequence[Picture], known: set[str], *, space: str, dim: int) -> list[Picture]:
    """The pictures that are not `known` by their hash, each once, with embeddings of unit length."""
    check_name(name)
    new: dict[str, Picture] = {}
    for picture in pictures:
        if picture.image_hash not in known:
            new.setdefault(picture.image_hash, picture)
    return [with_direction(picture, space=space, dim=dim) for picture in new.values()]


def _no_name(saw: str, fix: str) -> EnrolmentError:
    return EnrolmentError("This cannot be the name of a person.", saw=saw, fix=fix)
