"""A collection's layout in the words of Qdrant's client: how it is made, and how it is read back."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from qdrant_client import models

from pipeline.gallery.spread import INDEXES, Laid, Replica, Spread


def creation(spread: Spread, *, dim: int, space: str) -> dict[str, Any]:
    quantised = models.ScalarQuantization(
        scalar=models.ScalarQuantizationConfig(type=models.ScalarType.INT8, quantile=0.99, always_ram=True)
    )
    return {
        "vectors_config": models.VectorParams(
            size=dim, distance=models.Distance.COSINE, on_disk=spread.vectors_on_disk
        ),
        "shard_number": spread.shards,
        "replication_factor": spread.replicas,
        "write_consistency_factor": spread.confirmations,
        "on_disk_payload": spread.payloads_on_disk,
        "quantization_config": quantised if spread.int8 else None,
        "metadata": {"made": str(uuid4()), "embedding_space": space},
    }


IndexSchema = models.PayloadSchemaType | models.KeywordIndexParams | models.DatetimeIndexParams


def indexes(spread: Spread) -> list[tuple[str, IndexSchema]]:
    return [(name, _index(name, spread)) for name in INDEXES]


def _index(name: str, spread: Spread) -> IndexSchema:
    is_time = name == "changed"
    if not spread.indexes_on_disk:
        return models.PayloadSchemaType.DATETIME if is_time else models.PayloadSchemaType.KEYWORD
    if is_time:
        return models.DatetimeIndexParams(type=models.DatetimeIndexType.DATETIME, on_disk=True)
    return models.KeywordIndexParams(type=models.KeywordIndexType.KEYWORD, on_disk=True)


def laid_of(
    info: models.CollectionInfo,
    clustered: models.CollectionClusterInfo | None,
    nodes: dict[str, int | None],
    pictures: int,
) -> Laid:
    """`clustered`  None: a server by itself, which has no other places for a shard"""
    params = info.config.params
    vectors = params.vectors
    schemas = info.payload_schema or {}
    spread = Spread(
        shards=params.shard_number or 1,
        replicas=params.replication_factor or 1,
        confirmations=params.write_consistency_factor or 1,
        indexes_on_disk=bool(schemas) and all(_is_on_disk(index) for index in schemas.values()),
        int8=isinstance(info.config.quantization_config, models.ScalarQuantization),
        vectors_on_disk=isinstance(vectors, models.VectorParams) and bool(vectors.on_disk),
        payloads_on_disk=params.on_disk_payload is not False,
    )
    replicas = () if clustered is None else _replicas(clustered)
    return Laid(spread, str(info.status), pictures, frozenset(schemas), replicas, nodes)


def _replicas(clustered: models.CollectionClusterInfo) -> tuple[Replica, ...]:
    here = [Replica(one.shard_id, clustered.peer_id, str(one.state)) for one in clustered.local_shards]
    there = [Replica(one.shard_id, one.peer_id, str(one.state)) for one in clustered.remote_shards]
    return tuple(sorted([*here, *there], key=lambda one: (one.shard, one.peer)))


def _is_on_disk(index: models.PayloadIndexInfo) -> bool:
    return bool(getattr(index.params, "on_disk", None))
