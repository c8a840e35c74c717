"""The gallery on a Qdrant server or cluster.

Every request is bounded by the configured time; what a server that is away, half up or full answers is GalleryAway.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from qdrant_client import QdrantClient, models

from checkpoints.errors import GalleryError
from pipeline.clock import utc_iso
from pipeline.config import ServerConfig
from pipeline.gallery.cluster import has_collection, make_collection, node_count
from pipeline.gallery.edits import Change, Edited, Entry, Put, Rename
from pipeline.gallery.gallery import Kept, Match
from pipeline.gallery.intake import unit_rows
from pipeline.gallery.layout import LISTED, entry_of, kept_of, payload_of
from pipeline.gallery.nodes import NoCollection, Nodes
from pipeline.gallery.ranking import Hit, nearest_people
from pipeline.gallery.spread import Spread

T = TypeVar("T")
_PAGE = 4096
_PUT = 64  # pictures in a request: with cut-outs about 2 MB, and a server takes 32 MB
# Measured at a million pictures (docs/cluster.md): with 128 it missed four known faces in ten.
_SEARCH = models.SearchParams(
    hnsw_ef=1024, quantization=models.QuantizationSearchParams(rescore=True, oversampling=2.0)
)


class QdrantServerGallery(Edited):
    """Says nothing to the server before it is asked something."""

    def __init__(self, config: ServerConfig, *, space: str, dim: int) -> None:
        super().__init__(space=space, dim=dim)
        self._nodes = Nodes(config)
        self._at = f"{config.url}, collection {config.collection}"
        self._collection = config.collection
        self._made: str | None = None
        self._ready = False

    @property
    def made(self) -> str | None:
        """A random name that the collection was given when it was made: another one is another collection."""
        return self._made

    def prepare(self) -> None:
        """See that the collection is there and keeps this space; make it when there is none.

        Its points are counted only once, since a server goes through all ids for it, and this is asked often.
        """
        name = self._collection
        if not has_collection(self._nodes, name):
            spread = Spread.of_nodes(node_count(self._nodes))
            make_collection(self._nodes, name, spread, dim=self._dim, space=self._space)
        info = self._nodes.asked(lambda client: client.get_collection(name))
        said = info.config.metadata or {}
        vectors = info.config.params.vectors
        dim = vectors.size if isinstance(vectors, models.VectorParams) else None
        space = said.get("embedding_space") or self._space
        made = said.get("made")
        is_known = self._ready and made is not None and made == self._made
        if (space, dim) != (self._space, self._dim) or (not is_known and self._strangers_to_space()):
            raise GalleryError(
                "The server's gallery was made with another embedder: its faces cannot be compared with these.",
                saw=f"{self._at} keeps {space} with {dim} numbers, the embedder makes {self._space} with {self._dim}",
                fix="use that embedder, or another collection with QDRANT_COLLECTION",
            )
        self._made = made
        self._ready = True

    def space_kept(self) -> tuple[str, int] | None:
        if not has_collection(self._nodes, self._collection):
            return None
        config = self._nodes.asked(lambda client: client.get_collection(self._collection)).config
        space = (config.metadata or {}).get("embedding_space")
        vectors = config.params.vectors
        return (str(space), vectors.size) if space and isinstance(vectors, models.VectorParams) else None

    def entries(self, names: Collection[str | None] | None = None) -> Iterator[Entry]:
        if names is not None and not names:
            return iter(())
        return (entry for entry, _ in self._listed(_of(names), LISTED))

    def changed_since(self, since: str | None) -> Iterator[tuple[Entry, str]]:
        """What was put or renamed since that time, with the time of its change; all when None."""
        only = None
        if since is not None:
            only = models.Filter(
                must=[
                    models.FieldCondition(
                        key="changed",
                        range=models.DatetimeRange(gte=datetime.fromisoformat(since.replace("Z", "+00:00"))),
                    )
                ]
            )
        return self._listed(only, [*LISTED, "changed"])

    def count(self) -> int:
        return self._tried(lambda client: client.count(self._collection, exact=True)).count

    def about_count(self) -> int:
        """Nearly right, and cheap however many there are: to be exact, a server goes through all ids."""
        return self._tried(lambda client: client.count(self._collection, exact=False)).count

    def entries_of(self, ids: Collection[str]) -> list[Entry]:
        found: list[Entry] = []
        wanted = list(dict.fromkeys(ids))
        for start in range(0, len(wanted), _PAGE):
            records = self._retrieve(wanted[start : start + _PAGE], LISTED)
            found += [entry_of(str(record.id), record.payload) for record in records if _ours(record.payload or {})]
        return found

    def kept_of(self, ids: Sequence[str]) -> list[Kept]:
        found = {str(record.id): record for record in self._retrieve(ids, True) if _ours(record.payload or {})}
        return [_kept(one, found[one]) for one in ids if one in found]

    def apply(self, change: Change) -> None:
        """A request at a time: what a server loses in the middle is put right by doing it again."""
        if isinstance(change, Put):
            for start in range(0, len(change.pictures), _PUT):
                self._put(change.pictures[start : start + _PUT])
        elif isinstance(change, Rename):
            said = {"person": change.name, "changed": utc_iso()}
            self._for_ids(
                change.ids,
                lambda client, ids: client.set_payload(
                    self._collection, said, points=ids, wait=True, ordering=_IN_ORDER
                ),
            )
        else:
            self._for_ids(
                change.ids,
                lambda client, ids: client.delete(
                    self._collection, points_selector=models.PointIdsList(points=ids), wait=True, ordering=_IN_ORDER
                ),
            )

    def search(self, embeddings: NDArray[np.float32], limit: int = 2) -> list[list[Match]]:
        rows = unit_rows(embeddings, space=self._space, dim=self._dim)
        return nearest_people(rows, limit, self._nearest)

    def close(self) -> None:
        self._nodes.close()

    def _strangers_to_space(self) -> bool:
        other = models.FieldCondition(key="embedding_space", match=models.MatchValue(value=self._space))
        only = models.Filter(must_not=[other])
        return self._nodes.asked(lambda client: client.count(self._collection, count_filter=only, exact=True)).count > 0

    def _put(self, pictures: Sequence[Kept]) -> None:
        changed = utc_iso()
        points = []
        for kept in pictures:
            payload = {**payload_of(kept, self._space), "changed": changed}
            if kept.picture.cutout is not None:
                payload["cutout"] = base64.b64encode(kept.picture.cutout.jpeg).decode("ascii")
            points.append(models.PointStruct(id=kept.id, vector=kept.picture.embedding.tolist(), payload=payload))
        self._tried(lambda client: client.upsert(self._collection, points, wait=True, ordering=_IN_ORDER))

    def _for_ids(self, ids: Sequence[str], action: Callable[[QdrantClient, list[Any]], object]) -> None:
        for start in range(0, len(ids), _PAGE):
            some: list[Any] = list(ids[start : start + _PAGE])
            self._tried(lambda client, some=some: action(client, some))  # type: ignore[misc]

    def _nearest(self, rows: NDArray[np.float32], points: int) -> list[list[Hit]]:
        requests = [
            models.QueryRequest(query=row.tolist(), limit=points, with_payload=["person"], params=_SEARCH)
            for row in rows
        ]
        answers = self._tried(lambda client: client.query_batch_points(self._collection, requests))
        return [
            [Hit((hit.payload or {}).get("person"), hit.score, str(hit.id)) for hit in answer.points]
            for answer in answers
        ]

    def _retrieve(self, ids: Sequence[str], payload: bool | list[str]) -> list[Any]:
        return self._tried(
            lambda client: client.retrieve(
                self._collection, list(ids), with_payload=payload, with_vectors=payload is True
            )
        )

    def _listed(self, only: models.Filter | None, keys: list[str]) -> Iterator[tuple[Entry, str]]:
        offset: Any = None
        while True:
            at = offset
            records, offset = self._tried(
                lambda client, at=at: client.scroll(  # type: ignore[misc]
                    self._collection, scroll_filter=only, limit=_PAGE, offset=at, with_payload=keys, with_vectors=False
                )
            )
            for record in records:
                payload = record.payload or {}
                if _ours(payload):
                    yield entry_of(str(record.id), payload), str(payload.get("changed", ""))
            if offset is None:
                return

    def _tried(self, action: Callable[[QdrantClient], T]) -> T:
        if not self._ready:
            self.prepare()
        try:
            return self._nodes.asked(action)
        except NoCollection:
            self._ready = False  # it was dropped: it is made again next time
            raise


_IN_ORDER = models.WriteOrdering.MEDIUM


def server_space(config: ServerConfig) -> tuple[str, int] | None:
    """Space and dim of the server's gallery; None when there is no collection, or nothing in it says so."""
    gallery = QdrantServerGallery(config, space="", dim=0)
    try:
        return gallery.space_kept()
    finally:
        gallery.close()


def _ours(payload: Mapping[str, Any]) -> bool:
    """Other programs may keep other things in the same collection."""
    name = payload.get("person", 0)
    return (name is None or isinstance(name, str)) and all(isinstance(payload.get(key), str) for key in LISTED[1:])


def _of(names: Collection[str | None] | None) -> models.Filter | None:
    if names is None:
        return None
    conditions: list[Any] = []
    if None in names:
        conditions.append(models.IsNullCondition(is_null=models.PayloadField(key="person")))
    known = [name for name in names if name is not None]
    if known:
        conditions.append(models.FieldCondition(key="person", match=models.MatchAny(any=known)))
    return models.Filter(should=conditions)


def _kept(one: str, record: models.Record) -> Kept:
    payload = record.payload or {}
    try:
        jpeg = base64.b64decode(payload["cutout"], validate=True) if "cutout" in payload else None
    except binascii.Error:
        jpeg = None
    return kept_of(one, payload, np.asarray(record.vector, np.float32), jpeg)
