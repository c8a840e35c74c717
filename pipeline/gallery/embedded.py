"""The gallery on disk: Qdrant's engine within this process. The only file that knows qdrant_edge.

A gallery is a folder with `lock`, `cutouts/`, and `shard/` with Qdrant's own files and `space.json`: whose embeddings
these are. What is in a point, and what `space.json` says, is told by `pipeline.gallery.layout`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import qdrant_edge as qdrant
from numpy.typing import NDArray

from checkpoints.errors import GalleryError
from pipeline.gallery.cutouts import Cutouts
from pipeline.gallery.edits import Change, Edited, Entry, Put, Rename
from pipeline.gallery.gallery import Kept, Match
from pipeline.gallery.intake import unit_rows
from pipeline.gallery.layout import LISTED, entry_of, kept_of, payload_of
from pipeline.gallery.lock import Lock
from pipeline.gallery.ranking import Hit, nearest_people
from pipeline.gallery.room import check_room

T = TypeVar("T")
_PAGE = 4096
# From here on the index answers; below, comparing with every picture is quick enough and cannot miss any.
INDEXED_FROM = 50_000
# Measured at 100,000 x 512 (docs/gallery.md): with 256 it missed one known face in forty.
INDEX_EF = 1024
_ROOM_FOR_PICTURE_BYTES = 4096


class EdgeGallery(Edited):
    """Holds the gallery's lock until `close`."""

    def __init__(self, shard: qdrant.EdgeShard, lock: Lock, path: Path, *, space: str, dim: int) -> None:
        super().__init__(space=space, dim=dim)
        self._shard = shard
        self._lock = lock
        self._path = path
        self._rests = False
        self._cutouts = Cutouts(path / "cutouts")
        self._cutouts.sweep(lambda ids: [entry.id for entry in self.entries_of(ids)])
        self._searched_by_index = self._index_answers()

    def count(self) -> int:
        return int(self._shard.info().points_count)

    def entries(self, names: Collection[str | None] | None = None) -> Iterator[Entry]:
        offset, only = None, _of(names)
        while names is None or names:
            request = qdrant.ScrollRequest(offset=offset, limit=_PAGE, filter=only, with_payload=LISTED)
            records, offset = self._page(request)
            yield from (entry_of(str(record.id), record.payload or {}) for record in records)
            if offset is None:
                return

    def entries_of(self, ids: Collection[str]) -> list[Entry]:
        found: list[Entry] = []
        wanted = list(dict.fromkeys(ids))
        for start in range(0, len(wanted), _PAGE):
            records = self._retrieved(wanted[start : start + _PAGE], LISTED)
            found += [entry_of(one, record.payload or {}) for one, record in records.items()]
        return found

    def kept_of(self, ids: Sequence[str]) -> list[Kept]:
        found = self._retrieved(ids, True)
        return [self._kept(one, found[one]) for one in ids if one in found]

    def apply(self, change: Change) -> None:
        # One operation is one record of the write-ahead log: after a crash all of it is there or nothing.
        if isinstance(change, Put):
            self._put(change.pictures)
        elif isinstance(change, Rename):
            check_room(self._path, len(change.ids) * _ROOM_FOR_PICTURE_BYTES)
            self._update(qdrant.UpdateOperation.set_payload(list(change.ids), {"person": change.name}))
        else:
            self._cutouts.before_erasing()
            self._update(qdrant.UpdateOperation.delete_points(list(change.ids)))
            self._cutouts.erase(change.ids)
        self._searched_by_index = self._index_answers()

    def search(self, embeddings: NDArray[np.float32], limit: int = 2) -> list[list[Match]]:
        rows = unit_rows(embeddings, space=self._space, dim=self._dim)
        return nearest_people(rows, limit, self._nearest)

    def optimize(self) -> bool:
        """Build the index where the gallery is large: a minute or more, during which nothing else goes on."""
        check_room(self._path, 2 * self.count() * (4 * self._dim + 512))
        done = bool(_tried(self._shard.optimize, "The gallery's index cannot be built.", self._path))
        _tried(self._shard.flush, "The gallery's index cannot be built.", self._path)
        self._searched_by_index = self._index_answers()
        return done

    @contextmanager
    def at_rest(self) -> Iterator[None]:
        """Nobody uses the files, this process neither, and nobody else can: nothing but `close` may come after."""
        self._shard.close()
        self._rests = True
        yield

    def close(self) -> None:
        if not self._rests:
            self._shard.close()
        self._lock.release()

    def _put(self, pictures: Sequence[Kept]) -> None:
        jpegs = {kept.id: kept.picture.cutout.jpeg for kept in pictures if kept.picture.cutout is not None}
        bytes_each = 8 * self._dim + _ROOM_FOR_PICTURE_BYTES
        check_room(self._path, len(pictures) * bytes_each + sum(map(len, jpegs.values())))
        points = [
            qdrant.Point(kept.id, kept.picture.embedding.tolist(), payload_of(kept, self._space)) for kept in pictures
        ]
        self._cutouts.write(jpegs)
        self._update(qdrant.UpdateOperation.upsert_points(points))
        self._cutouts.settled()

    def _nearest(self, rows: NDArray[np.float32], points: int) -> list[list[Hit]]:
        params = qdrant.SearchParams(exact=True)
        if self._searched_by_index:
            params = qdrant.SearchParams(exact=False, hnsw_ef=max(INDEX_EF, 2 * points))
        requests = [
            qdrant.QueryRequest(
                limit=points, query=qdrant.Query.Nearest(row.tolist()), with_payload=["person"], params=params
            )
            for row in rows
        ]
        answers = self._shard.query_batch(qdrant.QueryBatchRequest(requests))
        return [[Hit((hit.payload or {}).get("person"), hit.score, str(hit.id)) for hit in hits] for hits in answers]

    def _page(self, request: qdrant.ScrollRequest) -> tuple[list[qdrant.Record], Any]:
        return _tried(lambda: self._shard.scroll(request), "The gallery cannot be read.", self._path)

    def _retrieved(self, ids: Sequence[str], payload: bool | list[str]) -> dict[str, qdrant.Record]:
        wanted: list[Any] = list(ids)
        records = _tried(
            lambda: self._shard.retrieve(wanted, payload, payload is True), "The gallery cannot be read.", self._path
        )
        return {str(record.id): record for record in records}

    def _kept(self, one: str, record: qdrant.Record) -> Kept:
        embedding = np.asarray(record.vector, np.float32)
        return kept_of(one, record.payload or {}, embedding, self._cutouts.read(one))

    def _index_answers(self) -> bool:
        info = self._shard.info()
        return bool(info.points_count >= INDEXED_FROM and info.indexed_vectors_count > 0)

    def _update(self, operation: qdrant.UpdateOperation) -> None:
        _tried(lambda: self._shard.update(operation), "The gallery cannot be written.", self._path)
        _tried(self._shard.flush, "The gallery cannot be written.", self._path)  # kept even if the power fails now


def create_shard(home: Path, dim: int) -> None:
    # More search threads make a search of some thousand faces slower, not faster.
    vectors = qdrant.EdgeVectorParams(size=dim, distance=qdrant.Distance.Cosine)
    config = qdrant.EdgeConfig(vectors=vectors, max_search_threads=1)

    def make() -> None:
        shard = qdrant.EdgeShard.create(str(home), config)
        _index_names(shard)
        shard.flush()
        shard.close()

    _tried(make, "The gallery cannot be made.", home)


def load_shard(home: Path, *, without_name_index: bool) -> qdrant.EdgeShard:
    def load() -> qdrant.EdgeShard:
        shard = qdrant.EdgeShard.load(str(home))
        if without_name_index:
            _index_names(shard)
            shard.flush()
        return shard

    return _tried(load, "The gallery cannot be read.", home)


def _index_names(shard: qdrant.EdgeShard) -> None:
    shard.update(qdrant.UpdateOperation.create_field_index("person", qdrant.PayloadSchemaType.Keyword))


def _of(names: Collection[str | None] | None) -> qdrant.Filter | None:
    if names is None:
        return None
    conditions: list[Any] = [qdrant.IsNullCondition("person")] if None in names else []
    known = [name for name in names if name is not None]
    if known:
        conditions.append(qdrant.FieldCondition("person", match=qdrant.MatchAny(known)))
    return qdrant.Filter(should=conditions)


def _tried(action: Callable[[], T], what: str, home: Path) -> T:
    """Qdrant raises plain Exception for all that goes wrong in its files."""
    try:
        return action()
    except Exception as error:
        raise damaged(what, f"{home}: {error}") from error


def damaged(what: str, saw: str) -> GalleryError:
    return GalleryError(
        what,
        saw=saw,
        fix="see that the disk is not full and the files are yours; else move the folder away and enrol again",
    )
