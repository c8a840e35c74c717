"""The gallery on a Qdrant server or cluster. The only file that knows qdrant_client.

Every request is bounded by the configured time; what a server that is away, half up or full answers is GalleryAway.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import urlsplit

import grpc  # type: ignore[import-untyped]
import numpy as np
from numpy.typing import NDArray
from qdrant_client import QdrantClient, models
from qdrant_client.common.client_exceptions import QdrantException
from qdrant_client.http.exceptions import ApiException, UnexpectedResponse

from checkpoints.errors import GalleryAway, GalleryError
from pipeline.clock import utc_iso
from pipeline.config import ServerConfig
from pipeline.gallery.edits import Change, Edited, Entry, Put, Rename
from pipeline.gallery.gallery import Kept, Match
from pipeline.gallery.intake import unit_rows
from pipeline.gallery.layout import LISTED, entry_of, kept_of, payload_of
from pipeline.gallery.ranking import Hit, nearest_people
from pipeline.gallery.server_layout import Collection as Layout
from pipeline.gallery.server_layout import creation, indexes

T = TypeVar("T")
_PAGE = 4096
_PUT = 64  # pictures in a request: with cut-outs about 2 MB, and a server takes 32 MB
_RETRY_LATER = (408, 429)
_SEARCH = models.SearchParams(hnsw_ef=128, quantization=models.QuantizationSearchParams(rescore=True, oversampling=2.0))


class QdrantServerGallery(Edited):
    """Says nothing to the server before it is asked something."""

    def __init__(self, config: ServerConfig, *, space: str, dim: int) -> None:
        super().__init__(space=space, dim=dim)
        self._client = client_of(config)
        self._at = f"{config.url}, collection {config.collection}"
        self._collection = config.collection
        self._made: str | None = None
        self._ready = False

    @property
    def made(self) -> str | None:
        """A random name that the collection was given when it was made: another one is another collection."""
        return self._made

    def prepare(self) -> None:
        """See that the collection is there and keeps this space; make it when there is none."""
        name = self._collection
        if not self._asked(lambda: self._client.collection_exists(name)):
            self._make()
        info = self._asked(lambda: self._client.get_collection(name))
        said = info.config.metadata or {}
        vectors = info.config.params.vectors
        dim = vectors.size if isinstance(vectors, models.VectorParams) else None
        space = said.get("embedding_space") or self._space
        if (space, dim) != (self._space, self._dim) or self._strangers_to_space():
            raise GalleryError(
                "The server's gallery was made with another embedder: its faces cannot be compared with these.",
                saw=f"{self._at} keeps {space} with {dim} numbers, the embedder makes {self._space} with {self._dim}",
                fix="use that embedder, or another collection with QDRANT_COLLECTION",
            )
        self._made = said.get("made")
        self._ready = True

    def space_kept(self) -> tuple[str, int] | None:
        if not self._asked(lambda: self._client.collection_exists(self._collection)):
            return None
        config = self._asked(lambda: self._client.get_collection(self._collection)).config
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
        return self._tried(lambda: self._client.count(self._collection, exact=True)).count

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
                lambda ids: self._client.set_payload(self._collection, said, points=ids, wait=True, ordering=_IN_ORDER),
            )
        else:
            self._for_ids(
                change.ids,
                lambda ids: self._client.delete(
                    self._collection, points_selector=models.PointIdsList(points=ids), wait=True, ordering=_IN_ORDER
                ),
            )

    def search(self, embeddings: NDArray[np.float32], limit: int = 2) -> list[list[Match]]:
        rows = unit_rows(embeddings, space=self._space, dim=self._dim)
        return nearest_people(rows, limit, self._nearest)

    def close(self) -> None:
        self._client.close()

    def _make(self) -> None:
        nodes = self._asked(lambda: _nodes(self._client))
        layout = Layout.of_nodes(nodes, dim=self._dim, space=self._space)
        try:
            self._asked(lambda: self._client.create_collection(self._collection, **creation(layout)))
        except GalleryError:
            # Two programs may start at once; then the other one has made it.
            if not self._asked(lambda: self._client.collection_exists(self._collection)):
                raise
        for field, schema in indexes():
            self._asked(lambda field=field, schema=schema: self._index(field, schema))  # type: ignore[misc]

    def _index(self, field: str, schema: models.PayloadSchemaType) -> None:
        self._client.create_payload_index(self._collection, field_name=field, field_schema=schema, wait=True)

    def _strangers_to_space(self) -> bool:
        other = models.FieldCondition(key="embedding_space", match=models.MatchValue(value=self._space))
        only = models.Filter(must_not=[other])
        return self._asked(lambda: self._client.count(self._collection, count_filter=only, exact=True)).count > 0

    def _put(self, pictures: Sequence[Kept]) -> None:
        changed = utc_iso()
        points = []
        for kept in pictures:
            payload = {**payload_of(kept, self._space), "changed": changed}
            if kept.picture.cutout is not None:
                payload["cutout"] = base64.b64encode(kept.picture.cutout.jpeg).decode("ascii")
            points.append(models.PointStruct(id=kept.id, vector=kept.picture.embedding.tolist(), payload=payload))
        self._tried(lambda: self._client.upsert(self._collection, points, wait=True, ordering=_IN_ORDER))

    def _for_ids(self, ids: Sequence[str], action: Callable[[list[int | str | Any]], object]) -> None:
        for start in range(0, len(ids), _PAGE):
            some: list[int | str | Any] = list(ids[start : start + _PAGE])
            self._tried(lambda some=some: action(some))  # type: ignore[misc]

    def _nearest(self, rows: NDArray[np.float32], points: int) -> list[list[Hit]]:
        requests = [
            models.QueryRequest(query=row.tolist(), limit=points, with_payload=["person"], params=_SEARCH)
            for row in rows
        ]
        answers = self._tried(lambda: self._client.query_batch_points(self._collection, requests))
        return [
            [Hit((hit.payload or {}).get("person"), hit.score, str(hit.id)) for hit in answer.points]
            for answer in answers
        ]

    def _retrieve(self, ids: Sequence[str], payload: bool | list[str]) -> list[Any]:
        return self._tried(
            lambda: self._client.retrieve(
                self._collection, list(ids), with_payload=payload, with_vectors=payload is True
            )
        )

    def _listed(self, only: models.Filter | None, keys: list[str]) -> Iterator[tuple[Entry, str]]:
        offset: Any = None
        while True:
            at = offset
            records, offset = self._tried(
                lambda at=at: self._client.scroll(  # type: ignore[misc]
                    self._collection, scroll_filter=only, limit=_PAGE, offset=at, with_payload=keys, with_vectors=False
                )
            )
            for record in records:
                payload = record.payload or {}
                if _ours(payload):
                    yield entry_of(str(record.id), payload), str(payload.get("changed", ""))
            if offset is None:
                return

    def _tried(self, action: Callable[[], T]) -> T:
        if not self._ready:
            self.prepare()
        return self._asked(action)

    def _asked(self, action: Callable[[], T]) -> T:
        try:
            return action()
        except UnexpectedResponse as error:
            if error.status_code is None or error.status_code >= 500 or error.status_code in _RETRY_LATER:
                raise self._away(f"answer {error.status_code}") from error
            raise self._refused(error.status_code, error) from error
        except (ApiException, QdrantException, grpc.RpcError, ConnectionError, AssertionError) as error:
            # The client asserts that an answer has a result: one of a server that is half up has none.
            raise self._away(_short(error)) from error

    def _away(self, why: str) -> GalleryAway:
        return GalleryAway(
            "The gallery's server does not answer.",
            saw=f"{self._at}: {why}",
            fix="see that it runs and can be reached: QDRANT_URL; changes wait and are told it later",
        )

    def _refused(self, status: int, error: UnexpectedResponse) -> GalleryError:
        fix = "see the server's log"
        if status in (401, 403):
            fix = "set QDRANT_API_KEY to a key that may write to this collection"
        elif status == 404:
            self._ready = False  # the collection was dropped: it is made again next time
        saw = error.content[:200].decode("utf-8", "replace")
        return GalleryError("The gallery's server refuses.", saw=f"{self._at}: {status} {saw}", fix=fix)


_IN_ORDER = models.WriteOrdering.MEDIUM


def client_of(config: ServerConfig) -> QdrantClient:
    try:
        if not urlsplit(config.url).hostname:
            raise ValueError("it names no host")
        return QdrantClient(
            url=config.url,
            # As a header, where the client does not warn on the terminal of a key over http in one's own network.
            headers={"api-key": config.api_key} if config.api_key else None,
            timeout=max(1, round(config.timeout_s)),
            prefer_grpc=config.grpc_port is not None,
            grpc_port=config.grpc_port or 6334,
            check_compatibility=False,  # asks the server at once, and it may be away
        )
    except ValueError as error:
        raise GalleryError(
            "The address of the gallery's server cannot be used.",
            saw=f"{config.url}: {error}",
            fix="give http://HOST:PORT or https://HOST:PORT in QDRANT_URL",
        ) from error


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


def _nodes(client: QdrantClient) -> int:
    status = client.cluster_status()
    return len(status.peers) if isinstance(status, models.ClusterStatusOneOf1) else 1


def _short(error: Exception) -> str:
    source = getattr(error, "source", error)
    if isinstance(source, grpc.RpcError):
        return str(getattr(source, "code", lambda: source)())
    return f"{type(source).__name__}: {str(source)[:120]}"
