"""Sightings on a Qdrant server or cluster, in a collection of their own: many may search while others index."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from qdrant_client import QdrantClient, models

from app.archive.shelf import EVERYTHING, INDEXED, SIGHTING, Hit, Wanted, hit
from app.archive.sighting import Point
from checkpoints.errors import ArchiveError, GalleryAway, GalleryError
from pipeline.config import ServerConfig
from pipeline.gallery.cluster import has_collection, node_count
from pipeline.gallery.nodes import Nodes
from pipeline.gallery.server_layout import creation
from pipeline.gallery.spread import Spread

T = TypeVar("T")
_FACE = "face"
_PAGE = 1024
_PUT = 64  # points in a request: with cut-outs about 1 MB, and a server takes 32 MB
# While a server is started anew, an index that has run for days waits for it.
_PAUSES_S = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0, 60.0, 60.0)
_SEARCH = models.SearchParams(
    hnsw_ef=1024, quantization=models.QuantizationSearchParams(rescore=True, oversampling=2.0)
)
_KINDS = {"keyword": models.PayloadSchemaType.KEYWORD, "datetime": models.PayloadSchemaType.DATETIME}


class ShelfOnServer:
    def __init__(self, nodes: Nodes, collection: str, *, space: str, dim: int, pauses_s: Sequence[float]) -> None:
        self._nodes = nodes
        self._collection = collection
        self._pauses_s = pauses_s
        self.space = space
        self.dim = dim

    def put(self, points: Sequence[Point]) -> None:
        # Points lie on several shards, so a request is not one step; but the last point comes only when all others
        # are there, and what is put again is put over itself.
        made = [
            models.PointStruct(
                id=one.id, vector={} if one.vector is None else {_FACE: one.vector.tolist()}, payload=one.payload
            )
            for one in points
        ]
        *chunks, last = [made[:-1][start : start + _PUT] for start in range(0, len(made) - 1, _PUT)] + [made[-1:]]
        for chunk in (*chunks, last):
            self._told(lambda client, chunk=chunk: client.upsert(self._collection, chunk, wait=True))  # type: ignore[misc]

    def points(self, kind: str, *, vectors: bool = False) -> Iterator[Point]:
        offset: Any = None
        while True:
            records, offset = self._told(
                lambda client, at=offset: client.scroll(  # type: ignore[misc]
                    self._collection,
                    scroll_filter=_of(kind),
                    limit=_PAGE,
                    offset=at,
                    with_payload=True,
                    with_vectors=vectors,
                )
            )
            for record in records:
                rows = record.vector if isinstance(record.vector, dict) else {}
                vector = np.asarray(rows[_FACE], np.float32) if _FACE in rows else None
                yield Point(str(record.id), record.payload or {}, vector)
            if offset is None:
                return

    def count(self, kind: str, wanted: Wanted = EVERYTHING) -> int:
        only = _of(kind, wanted)
        return self._told(lambda client: client.count(self._collection, count_filter=only, exact=True)).count

    def search(self, rows: NDArray[np.float32], limit: int, least: float, wanted: Wanted) -> list[list[Hit]]:
        requests = [
            models.QueryRequest(
                query=row.tolist(),
                using=_FACE,
                limit=limit,
                filter=_of(SIGHTING, wanted),
                score_threshold=least,
                with_payload=True,
                params=_SEARCH,
            )
            for row in rows
        ]
        answers = self._told(lambda client: client.query_batch_points(self._collection, requests))
        return [[hit(str(one.id), one.score, one.payload or {}) for one in answer.points] for answer in answers]

    def forget(self, recording: str) -> None:
        of_it = models.Filter(must=[_is("recording", recording)])
        selected = models.FilterSelector(filter=of_it)
        self._told(lambda client: client.delete(self._collection, points_selector=selected, wait=True))

    def settle(self) -> None:
        """The server does that by itself."""

    def close(self) -> None:
        self._nodes.close()

    def _told(self, action: Callable[[QdrantClient], T]) -> T:
        for pause_s in self._pauses_s:
            try:
                return self._nodes.asked(action)
            except GalleryAway:
                time.sleep(pause_s)
            except GalleryError as error:
                raise _refused(error) from error
        try:
            return self._nodes.asked(action)
        except GalleryError as error:
            raise _refused(error) from error


def open_on_server(
    config: ServerConfig, collection: str, *, space: str, dim: int, make: bool, pauses_s: Sequence[float] = _PAUSES_S
) -> ShelfOnServer:
    """The shelf in this collection, made when there is none and `make`. ArchiveError if it keeps another space."""
    nodes = Nodes(replace(config, collection=collection))
    try:
        if not has_collection(nodes, collection):
            if not make:
                raise ArchiveError(
                    "Nothing was indexed yet.", saw=f"{config.url}, collection {collection}", fix="index DIR first"
                )
            _make(nodes, collection, space=space, dim=dim)
        kept = nodes.asked(lambda client: client.get_collection(collection)).config
    except GalleryError as error:
        raise _refused(error) from error
    said = (kept.metadata or {}).get("embedding_space")
    if said != space:
        raise ArchiveError(
            "The archive was indexed with another embedder: its faces cannot be compared with these.",
            saw=f"{config.url}, collection {collection} keeps {said}, the embedder makes {space}",
            fix="use that embedder (EMBEDDING_ENGINE, PRECISION), or another ARCHIVE_COLLECTION",
        )
    if make:
        _make_indexes(nodes, collection)  # whoever made the collection may have been stopped before them
    return ShelfOnServer(nodes, collection, space=space, dim=dim, pauses_s=pauses_s)


def _make(nodes: Nodes, collection: str, *, space: str, dim: int) -> None:
    """As a gallery is laid out; but its points say of themselves whether they have a face."""
    spread = Spread.of_nodes(node_count(nodes))
    face = models.VectorParams(size=dim, distance=models.Distance.COSINE, on_disk=True)
    asked = {**creation(spread, dim=dim, space=space), "vectors_config": {_FACE: face}}
    try:
        nodes.asked(lambda client: client.create_collection(collection, **asked))
    except GalleryError:
        if not has_collection(nodes, collection):  # else two programs started at once, and the other one made it
            raise


def _make_indexes(nodes: Nodes, collection: str) -> None:
    """Again is harmless."""
    try:
        for name, kind in INDEXED:
            nodes.asked(
                lambda client, name=name, kind=kind: client.create_payload_index(  # type: ignore[misc]
                    collection, field_name=name, field_schema=_KINDS[kind], wait=True
                )
            )
    except GalleryError as error:
        raise _refused(error) from error


def _of(kind: str, wanted: Wanted = EVERYTHING) -> models.Filter:
    must: list[Any] = [_is("kind", kind)]
    if wanted.cameras:
        must.append(models.FieldCondition(key="camera", match=models.MatchAny(any=list(wanted.cameras))))
    if wanted.since is not None:
        must.append(models.FieldCondition(key="last", range=models.DatetimeRange(gte=_moment(wanted.since))))
    if wanted.until is not None:
        must.append(models.FieldCondition(key="first", range=models.DatetimeRange(lte=_moment(wanted.until))))
    return models.Filter(must=must)


def _is(key: str, value: str) -> models.FieldCondition:
    return models.FieldCondition(key=key, match=models.MatchValue(value=value))


def _moment(utc: str) -> datetime:
    return datetime.fromisoformat(utc.replace("Z", "+00:00"))


def _refused(error: GalleryError) -> ArchiveError:
    return ArchiveError(
        "The archive's index on the server cannot be used; what was written is kept.",
        saw=f"{error.what} {error.saw or ''}".strip(),
        fix="see that the server runs and can be reached (QDRANT_URL), and start again: it goes on where it was",
    )
