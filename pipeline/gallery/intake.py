"""What every gallery checks before it takes pictures or answers a search."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from checkpoints.errors import EnrolmentError, GalleryError
from pipeline.gallery.gallery import Picture


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


def fresh(name: str, pictures: Sequence[Picture], known: set[str], *, space: str, dim: int) -> list[Picture]:
    """The pictures that are not `known` by their hash, each once, with embeddings of unit length."""
    if not name.strip() or name != name.strip() or not name.isprintable():
        raise EnrolmentError(
            "This cannot be the name of a person.", saw=repr(name), fix="use letters, without spaces at the ends"
        )
    kept = {picture.image_hash: picture for picture in reversed(pictures) if picture.image_hash not in known}
    taken = []
    for picture in reversed(kept.values()):
        (row,) = unit_rows(picture.embedding[None], space=space, dim=dim)
        if not row.any():
            raise ValueError(f"picture {picture.image_hash} has an embedding without a direction")
        taken.append(Picture(row, picture.image_hash, picture.quality))
    return taken
