"""A collection is laid out on a cluster and read back. The peer is told of in qdrant_peer.py."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from checkpoints.errors import GalleryError
from pipeline.config import ServerConfig
from pipeline.gallery.cluster import ensure_collection, has_collection, laid, node_count
from pipeline.gallery.nodes import Nodes
from pipeline.gallery.spread import INDEXES, Spread, faults


@pytest.fixture
def closing() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def nodes_at(closing: ExitStack, *peers: Any) -> Nodes:
    first, *further = [peer.url for peer in peers]
    nodes = Nodes(ServerConfig(first, further=tuple(further), timeout_s=5.0))
    closing.callback(nodes.close)
    return nodes


@pytest.mark.parametrize("peers", [1, 3])
@pytest.mark.parametrize("pictures", [0, 5_000_000])
def test_what_is_made_is_read_back_as_it_was_wished(
    make_peer: Any, closing: ExitStack, peers: int, pictures: int
) -> None:
    nodes = nodes_at(closing, make_peer(nodes=peers))
    assert node_count(nodes) == peers
    assert laid(nodes, "faces") is None
    spread = Spread.of_nodes(peers, pictures=pictures)
    assert ensure_collection(nodes, "faces", spread, dim=8, space="s")
    found = laid(nodes, "faces")
    assert found is not None
    assert found.spread == spread
    assert found.indexed == frozenset(INDEXES)
    assert len(found.replicas) == (0 if peers == 1 else spread.shards * spread.replicas)
    assert list(faults(found)) == []


def test_making_it_again_changes_nothing(make_peer: Any, closing: ExitStack) -> None:
    peer = make_peer(nodes=3)
    nodes = nodes_at(closing, peer)
    assert ensure_collection(nodes, "faces", Spread.of_nodes(3), dim=8, space="s")
    made = peer.collections["faces"].asked["metadata"]["made"]
    peer.collections["faces"].indexes.pop("changed")  # whoever made it was stopped before the last one
    assert not ensure_collection(nodes, "faces", Spread.of_nodes(3), dim=8, space="s")
    assert peer.collections["faces"].asked["metadata"]["made"] == made
    assert set(peer.collections["faces"].indexes) == set(INDEXES)


def test_another_layout_is_refused_and_left_as_it_is(make_peer: Any, closing: ExitStack) -> None:
    peer = make_peer(nodes=3)
    nodes = nodes_at(closing, peer)
    ensure_collection(nodes, "faces", Spread.of_nodes(3), dim=8, space="s")
    with pytest.raises(GalleryError, match="another way") as caught:
        ensure_collection(nodes, "faces", Spread.of_nodes(3, shards=4, replicas=3), dim=8, space="s")
    assert "has 6 shards, 4 are wished" in str(caught.value)
    assert peer.collections["faces"].asked["shard_number"] == 6


def test_a_replica_that_is_lost_and_a_node_that_is_silent_are_seen(make_peer: Any, closing: ExitStack) -> None:
    first = make_peer(nodes=3)
    silent = make_peer(nodes=3, also_at=first)
    nodes = nodes_at(closing, silent, first)
    ensure_collection(nodes, "faces", Spread.of_nodes(3), dim=8, space="s")
    silent.fault = "503"
    first.dead = {(2, 3), (2, 1)}
    found = laid(nodes, "faces")
    assert found is not None and has_collection(nodes, "faces")
    assert list(faults(found)) == [
        f"{silent.url} does not answer",
        "shard 2 is Dead on node 1",
        "shard 2 is Dead on node 3",
        "shard 2 is whole on 0 of 2 nodes; its pictures cannot be found",
    ]
