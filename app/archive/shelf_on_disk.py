"""Sightings in a folder: Qdrant's engine within this process. With the gallery's file the only one that knows it.

The folder has `lock` and `shard/`. One point says whose embeddings these are.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import qdrant_edge as qdrant
from numpy.typing import NDArray

from app.archive.shelf import EVERYTHING, INDEXED, SIGHTING, Hit, Wanted, hit
from app.archive.sighting import Point, id_of
from checkpoints.errors import ArchiveError, GalleryError, GalleryLocked
from pipeline.gallery.lock import Lock

T = TypeVar("T")
_PAGE = 1024
_FACE = "face"
_ABOUT = id_of("about")
_ROOM_BYTES = 120 << 20  # the write-ahead log grows by 32 MiB at a time, and one ahead
# From here on the index answers; below, comparing with every sighting is quick enough and cannot miss any.
_INDEXED_FROM = 50_000
_INDEX_EF = 1024
_KINDS = {"keyword": qdrant.PayloadSchemaType.Keyword, "datetime": qdrant.PayloadSchemaType.Datetime}


class ShelfOnDisk:
    """Holds the folder's lock until `close`."""

    def __init__(self, shard: qdrant.EdgeShard, lock: Lock, folder: Path, *, space: str, dim: int) -> None:
        self._shard = shard
        self._lock = lock
        self._folder = folder
        self.space = space
        self.dim = dim

    def put(self, points: Sequence[Point]) -> None:
        # One operation is one record of the write-ahead log: after a crash all of it is there or nothing.
        made = [
            qdrant.Point(one.id, {} if one.vector is None else {_FACE: one.vector.tolist()}, one.payload)
            for one in points
        ]
        _check_room(self._folder)
        self._update(qdrant.UpdateOperation.upsert_points(made))

    def points(self, kind: str, *, vectors: bool = False) -> Iterator[Point]:
        offset, only = None, _of(kind)
        while True:
            request = qdrant.ScrollRequest(
                offset=offset, limit=_PAGE, filter=only, with_payload=True, with_vector=vectors
            )
            records, offset = _tried(lambda request=request: self._shard.scroll(request), self._folder)  # type: ignore[misc]
            for record in records:
                rows = record.vector if isinstance(record.vector, dict) else {}
                vector = np.asarray(rows[_FACE], np.float32) if _FACE in rows else None
                yield Point(str(record.id), record.payload or {}, vector)
            if offset is None:
                return

    def count(self, kind: str, wanted: Wanted = EVERYTHING) -> int:
        return int(self._shard.count(qdrant.CountRequest(exact=True, filter=_of(kind, wanted))))

    def search(self, rows: NDArray[np.float32], limit: int, least: float, wanted: Wanted) -> list[list[Hit]]:
        indexed = self._shard.info().points_count >= _INDEXED_FROM
        params = qdrant.SearchParams(exact=not indexed, hnsw_ef=max(_INDEX_EF, 2 * limit))
        requests = [
            qdrant.QueryRequest(
                limit=limit,
                query=qdrant.Query.Nearest(row.tolist(), using=_FACE),
                filter=_of(SIGHTING, wanted),
                score_threshold=least,
                with_payload=True,
                params=params,
            )
            for row in rows
        ]
        answers = _tried(lambda: self._shard.query_batch(qdrant.QueryBatchRequest(requests)), self._folder)
        return [[hit(str(one.id), one.score, one.payload or {}) for one in found] for found in answers]

    def forget(self, recording: str) -> None:
        of_it = qdrant.Filter(must=[qdrant.FieldCondition("recording", match=qdrant.MatchValue(recording))])
        self._update(qdrant.UpdateOperation.delete_points_by_filter(of_it))

    def settle(self) -> None:
        if self._shard.info().points_count >= _INDEXED_FROM:
            _tried(self._shard.optimize, self._folder)
            _tried(self._shard.flush, self._folder)

    def close(self) -> None:
        self._shard.close()
        self._lock.release()

    def _update(self, operation: qdrant.UpdateOperation) -> None:
        _tried(lambda: self._shard.update(operation), self._folder)
        _tried(self._shard.flush, self._folder)  # kept even if the power fails now


def open_shelf(folder: Path, *, space: str, dim: int) -> ShelfOnDisk:
    """The shelf in this folder, made when there is none. ArchiveError if it keeps another space, or somebody has it."""
    with ExitStack() as undo:
        lock = undo.enter_context(_locked(folder))
        home = folder / "shard"
        if not home.exists():
            _check_room(folder)
            _make(home, space=space, dim=dim)
        shard = _tried(lambda: qdrant.EdgeShard.load(str(home)), folder)
        undo.callback(shard.close)
        kept = _tried(lambda: shard.retrieve([_ABOUT], True, False), folder)
        said = (kept[0].payload or {}) if kept else {}
        if (said.get("space"), said.get("dim")) != (space, dim):
            raise _other_space(folder, str(said.get("space")), space)
        undo.pop_all()
    return ShelfOnDisk(shard, lock, folder, space=space, dim=dim)


def shelf_exists(folder: Path) -> bool:
    return (folder / "shard").is_dir()


def _make(home: Path, *, space: str, dim: int) -> None:
    """Made under another name and renamed, so that a shelf is never half made."""
    making = home.with_name("making")
    shutil.rmtree(making, ignore_errors=True)
    vectors = {_FACE: qdrant.EdgeVectorParams(size=dim, distance=qdrant.Distance.Cosine)}

    def make() -> None:
        shard = qdrant.EdgeShard.create(str(making), qdrant.EdgeConfig(vectors=vectors, max_search_threads=1))
        for name, kind in INDEXED:
            shard.update(qdrant.UpdateOperation.create_field_index(name, _KINDS[kind]))
        about = qdrant.Point(_ABOUT, {}, {"kind": "about", "version": 1, "space": space, "dim": dim})
        shard.update(qdrant.UpdateOperation.upsert_points([about]))
        shard.flush()
        shard.close()
        making.replace(home)

    _tried(make, home.parent)


def _locked(folder: Path) -> Lock:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return Lock(folder / "lock")
    except GalleryLocked as error:
        raise ArchiveError(
            "The archive's index is in use by another process.",
            saw=error.saw,
            fix="wait until it has ended; where many search while it grows, keep it on a Qdrant server: QDRANT_URL",
        ) from error
    except (OSError, GalleryError) as error:
        raise _unusable(folder, error) from error


def _of(kind: str, wanted: Wanted = EVERYTHING) -> qdrant.Filter:
    must: list[Any] = [qdrant.FieldCondition("kind", match=qdrant.MatchValue(kind))]
    if wanted.cameras:
        must.append(qdrant.FieldCondition("camera", match=qdrant.MatchAny(list(wanted.cameras))))
    if wanted.since is not None:
        must.append(qdrant.FieldCondition("last", range=qdrant.RangeDateTime(gte=wanted.since)))
    if wanted.until is not None:
        must.append(qdrant.FieldCondition("first", range=qdrant.RangeDateTime(lte=wanted.until)))
    return qdrant.Filter(must=must)


def _check_room(folder: Path) -> None:
    free = shutil.disk_usage(folder).free
    if free < _ROOM_BYTES:
        raise ArchiveError(
            "The disk is too full for the archive's index; what was written is kept.",
            saw=f"{folder}: {free >> 20} MiB free, {_ROOM_BYTES >> 20} MiB needed",
            fix="free some space and start again: it goes on where it was",
        )


def _tried(action: Callable[[], T], folder: Path) -> T:
    """Qdrant raises plain Exception for all that goes wrong in its files."""
    try:
        return action()
    except Exception as error:
        raise _unusable(folder, error) from error


def _unusable(folder: Path, error: Exception) -> ArchiveError:
    return ArchiveError(
        "The archive's index cannot be read or written.",
        saw=f"{folder}: {error}",
        fix="see that the disk is not full and the files are yours; else move the folder away and index again",
    )


def _other_space(folder: Path, kept: str, wanted: str) -> ArchiveError:
    return ArchiveError(
        "The archive was indexed with another embedder: its faces cannot be compared with these.",
        saw=f"{folder} keeps {kept}, the embedder makes {wanted}",
        fix="use that embedder (EMBEDDING_ENGINE, PRECISION), or index into another folder with --archive DIR",
    )
