"""How a collection is laid out over a cluster: the arithmetic for a million people is in docs/gallery.md.

With server.py the only file that knows qdrant_client.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from qdrant_client import models


@dataclass(frozen=True, slots=True)
class Collection:
    """shards         parts of the collection: two for each node, so that the cluster can double without a new layout
    replicas       nodes that have each part
    confirmations  replicas that must have written before the server says so
    """

    space: str
    dim: int
    shards: int
    replicas: int
    confirmations: int

    @staticmethod
    def of_nodes(nodes: int, *, dim: int, space: str) -> Collection:
        """With two nodes or more, each part is on two, and both must have written what is reported as stored.

        While one of them is down, writes wait in the journal and searches go on.
        """
        replicas = min(2, nodes)
        return Collection(space, dim, shards=1 if nodes == 1 else 2 * nodes, replicas=replicas, confirmations=replicas)


def creation(layout: Collection) -> dict[str, Any]:
    """Whole vectors and payloads on disk; INT8 vectors and the graph in memory, where the search goes on."""
    return {
        "vectors_config": models.VectorParams(size=layout.dim, distance=models.Distance.COSINE, on_disk=True),
        "shard_number": layout.shards,
        "replication_factor": layout.replicas,
        "write_consistency_factor": layout.confirmations,
        "on_disk_payload": True,
        "quantization_config": models.ScalarQuantization(
            scalar=models.ScalarQuantizationConfig(type=models.ScalarType.INT8, quantile=0.99, always_ram=True)
        ),
        "metadata": {"made": str(uuid4()), "embedding_space": layout.space},
    }


def indexes() -> list[tuple[str, models.PayloadSchemaType]]:
    return [
        ("person", models.PayloadSchemaType.KEYWORD),
        ("image_hash", models.PayloadSchemaType.KEYWORD),
        ("embedding_space", models.PayloadSchemaType.KEYWORD),
        ("changed", models.PayloadSchemaType.DATETIME),
    ]
