"""A gallery's collection on a cluster, seen from outside: made, described, and found by several addresses."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from qdrant_client import QdrantClient, models

from checkpoints.errors import GalleryError
from pipeline.config import ServerConfig
from pipeline.gallery.nodes import Nodes
from pipeline.gallery.server_layout import IndexSchema, creation, indexes, laid_of
from pipeline.gallery.spread import Laid, Spread, differences


@contextmanager
def nodes_of(config: ServerConfig) -> Iterator[Nodes]:
    nodes = Nodes(config)
    try:
        yield nodes
    finally:
        nodes.close()


def node_count(nodes: Nodes) -> int:
    return nodes.asked(_peers)


def has_collection(nodes: Nodes, name: str) -> bool:
    return nodes.asked(lambda client: client.collection_exists(name))


def make_collection(nodes: Nodes, name: str, spread: Spread, *, dim: int, space: str) -> None:
    """With its indexes. Two programs may start at once: then the other one has made it."""
    asked = creation(spread, dim=dim, space=space)
    try:
        nodes.asked(lambda client: client.create_collection(name, **asked))
    except GalleryError:
        if not has_collection(nodes, name):
            raise
    make_indexes(nodes, name, spread)


def make_indexes(nodes: Nodes, name: str, spread: Spread) -> None:
    for field, schema in indexes(spread):
        _index(nodes, name, field, schema)


def laid(nodes: Nodes, name: str) -> Laid | None:
    """The collection as it is; None when there is none."""
    if not has_collection(nodes, name):
        return None
    known = nodes.each(_peers)
    info = nodes.asked(lambda client: client.get_collection(name))
    count = nodes.asked(lambda client: client.count(name, exact=True)).count
    clustered = None
    if max((peers for peers in known.values() if peers is not None), default=1) > 1:
        clustered = nodes.asked(lambda client: client.collection_cluster_info(name))
    return laid_of(info, clustered, known, count)


def ensure_collection(nodes: Nodes, name: str, spread: Spread, *, dim: int, space: str) -> bool:
    """False: it was there already, laid out as wished; GalleryError where it is laid out in another way."""
    there = laid(nodes, name)
    if there is None:
        make_collection(nodes, name, spread, dim=dim, space=space)
        return True
    others = list(differences(spread, there.spread))
    if others:
        raise GalleryError(
            "The collection is there already, and laid out in another way.",
            saw="\n".join([f"collection {name}, {there.pictures} pictures", *others]),
            fix="wish for what there is, or make another one with QDRANT_COLLECTION and move the pictures there",
        )
    make_indexes(nodes, name, spread)  # whoever made it may have been stopped before them; again is harmless
    return False


def _index(nodes: Nodes, name: str, field: str, schema: IndexSchema) -> None:
    nodes.asked(lambda client: client.create_payload_index(name, field_name=field, field_schema=schema, wait=True))


def _peers(client: QdrantClient) -> int:
    status = client.cluster_status()
    return len(status.peers) if isinstance(status, models.ClusterStatusOneOf1) else 1
