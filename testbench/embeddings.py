"""Embeddings of labelled pictures, kept in a file from one measurement to the next: making them takes minutes."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from checkpoints.errors import DataError, OutputError
from engines.load import load_detector, load_embedder
from engines.models import embedder_model
from engines.options import EngineOptions
from testbench.picture import picture
from testbench.portraits import BATCH, Portraits, embed


@dataclass(frozen=True, slots=True)
class _Kept:
    """rows  which row of the portraits each picture has"""

    rows: dict[str, int]
    portraits: Portraits


def embedded(
    paths: Sequence[Path],
    options: EngineOptions,
    *,
    cache: Path | None = None,
    make: Callable[[Sequence[Path], EngineOptions], Portraits] | None = None,
) -> Portraits:
    """The portraits, from the file where they are in it and with the engines where not; then the file has them, too.

    cache  .npz; it may hold several embedding spaces, and only pictures embedded by the same models count
    """
    make = make or _by_engines
    if cache is None:
        return make(paths, options)
    key = _key(options)
    kept = _read(cache, key)
    missing = [path for path in paths if kept is None or str(path.resolve()) not in kept.rows]
    if missing:
        kept = _joined(kept, missing, make(missing, options))
        _write(cache, key, kept)
    assert kept is not None
    rows = [kept.rows[str(path.resolve())] for path in paths]
    portraits = kept.portraits
    return Portraits(portraits.vectors[rows], portraits.qualities[rows], portraits.found[rows], portraits.ms_per_face)


def _by_engines(paths: Sequence[Path], options: EngineOptions) -> Portraits:
    first = picture(paths[0])
    with (
        closing(load_detector(options, size_wh=(first.shape[1], first.shape[0]))) as detector,
        closing(load_embedder(options, batch=BATCH)) as embedder,
    ):
        return embed(paths, detector, embedder)


def _key(options: EngineOptions) -> str:
    """What made an embedding, as part of a name in the file."""
    made_by = (
        embedder_model(options).known.embedding_space,
        options.precision,
        Path(options.detector).stem,
        options.min_face_px,
    )
    return " ".join(str(part).replace("/", "-") for part in made_by)


def _read(cache: Path, key: str) -> _Kept | None:
    if not cache.exists():
        return None
    try:
        with np.load(cache, allow_pickle=False) as held:
            if f"{key}|paths" not in held:
                return None
            paths, vectors, qualities, found, took = (
                held[f"{key}|{name}"] for name in ("paths", "vectors", "qualities", "found", "ms")
            )
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise DataError(
            "The file of embeddings cannot be read.",
            saw=f"--embeddings {cache}: {error}",
            fix="Delete it; the embeddings are made again.",
        ) from error
    rows = {str(path): row for row, path in enumerate(paths)}
    return _Kept(rows, Portraits(vectors, qualities, found, float(took)))


def _joined(kept: _Kept | None, paths: Sequence[Path], made: Portraits) -> _Kept:
    if kept is None:
        return _Kept({str(path.resolve()): row for row, path in enumerate(paths)}, made)
    before, old = len(kept.rows), kept.portraits
    rows = kept.rows | {str(path.resolve()): before + row for row, path in enumerate(paths)}
    both = Portraits(
        np.concatenate([old.vectors, made.vectors]),
        np.concatenate([old.qualities, made.qualities]),
        np.concatenate([old.found, made.found]),
        made.ms_per_face,
    )
    return _Kept(rows, both)


def _write(cache: Path, key: str, kept: _Kept) -> None:
    others = {}
    if cache.exists():
        with np.load(cache, allow_pickle=False) as held:
            others = {name: held[name] for name in held.files if not name.startswith(f"{key}|")}
    mine = {
        f"{key}|paths": np.array(list(kept.rows), np.str_),
        f"{key}|vectors": kept.portraits.vectors,
        f"{key}|qualities": kept.portraits.qualities,
        f"{key}|found": kept.portraits.found,
        f"{key}|ms": np.array(kept.portraits.ms_per_face),
    }
    fresh = cache.with_suffix(".new.npz")
    try:
        np.savez(fresh, allow_pickle=False, **others, **mine)
        fresh.replace(cache)
    except OSError as error:
        raise OutputError(
            "The embeddings cannot be kept.",
            saw=f"--embeddings {cache}: {error.strerror}",
            fix="Give a file in a folder that can be written to, or leave the flag out.",
        ) from error
