"""How a collection lies on the nodes of a cluster, what is wished, and in what the one that there is differs."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

INDEXES = ("person", "image_hash", "embedding_space", "changed")
# From here on the indexes of payloads, of which a lookup needs none, are left on the disk.
_LARGE_PICTURES = 1_000_000
_WELL = "Active"
# Each search asks every shard, so more of them cost more work: enough to grow to six nodes' double, no more.
_MOST_SHARDS = 12


@dataclass(frozen=True, slots=True)
class Spread:
    """shards            parts of the collection; they cannot be made more later, only moved to other nodes
    replicas          nodes that have each part
    confirmations     replicas that must have written before the server says so
    indexes_on_disk   indexes of payloads: names, times, hashes
    int8              INT8 vectors and the graph in memory, where the search goes on; the best are compared again whole
    vectors_on_disk   whole vectors
    payloads_on_disk  with the cut-outs
    """

    shards: int
    replicas: int
    confirmations: int
    indexes_on_disk: bool = False
    int8: bool = True
    vectors_on_disk: bool = True
    payloads_on_disk: bool = True

    @staticmethod
    def of_nodes(nodes: int, *, shards: int | None = None, replicas: int | None = None, pictures: int = 0) -> Spread:
        """Two shards for each node, so that the cluster can double, up to twelve; each on two of them.

        All replicas must have written what is reported as stored: while one of them is down, writes wait in the
        journals of the stations and searches go on.
        """
        copies = min(replicas or 2, nodes)
        usual = 1 if nodes == 1 else max(min(2 * nodes, _MOST_SHARDS), math.ceil(nodes / copies))
        parts = shards or usual
        return Spread(parts, copies, confirmations=copies, indexes_on_disk=pictures >= _LARGE_PICTURES)


@dataclass(frozen=True, slots=True)
class Replica:
    """state  Active, Dead, Partial …, as the server says it"""

    shard: int
    peer: int
    state: str


@dataclass(frozen=True, slots=True)
class Laid:
    """A collection as a server describes it.

    status   green, yellow (it is being indexed), grey or red
    indexed  fields of the payload that have an index
    nodes    for each address how many nodes the one behind it knows of; None: it does not answer
    """

    spread: Spread
    status: str
    pictures: int
    indexed: frozenset[str]
    replicas: tuple[Replica, ...] = ()
    nodes: dict[str, int | None] = field(default_factory=dict)


def differences(wished: Spread, there: Spread) -> Iterator[str]:
    """What of the layout is another than it was wished; sentences."""
    if there.shards != wished.shards:
        yield f"the collection has {there.shards} shards, {wished.shards} are wished"
    if there.replicas != wished.replicas:
        yield f"each shard is to be on {there.replicas} nodes, {wished.replicas} are wished"
    if there.confirmations != wished.confirmations:
        yield f"a write is confirmed by {there.confirmations} replicas, {wished.confirmations} are wished"
    for is_so, is_wished, what in (
        (there.int8, wished.int8, "INT8 vectors in memory"),
        (there.vectors_on_disk, wished.vectors_on_disk, "whole vectors on disk"),
        (there.payloads_on_disk, wished.payloads_on_disk, "payloads on disk"),
        (there.indexes_on_disk, wished.indexes_on_disk, "indexes of payloads on disk"),
    ):
        if is_so != is_wished:
            yield f"{what}: {_yes(is_so)}, {_yes(is_wished)} is wished"


def faults(laid: Laid) -> Iterator[str]:
    """What is not well now; sentences."""
    yield from (f"{url} does not answer" for url, peers in laid.nodes.items() if peers is None)
    known = {peers for peers in laid.nodes.values() if peers is not None}
    if len(known) > 1:
        yield f"the nodes do not agree on how many they are: {', '.join(map(str, sorted(known)))}"
    if laid.status == "red":
        yield "the server calls the collection red: something failed, see the server's log"
    yield from (f"the field {name} has no index" for name in INDEXES if name not in laid.indexed)
    yield from _thin_shards(laid)


def _thin_shards(laid: Laid) -> Iterator[str]:
    well: dict[int, int] = dict.fromkeys(range(laid.spread.shards if laid.replicas else 0), 0)
    for replica in laid.replicas:
        well[replica.shard] = well.get(replica.shard, 0) + (replica.state == _WELL)
        if replica.state != _WELL:
            yield f"shard {replica.shard} is {replica.state} on node {replica.peer}"
    for shard, count in sorted(well.items()):
        if count < laid.spread.replicas:
            lost = "; its pictures cannot be found" if count == 0 else ""
            yield f"shard {shard} is whole on {count} of {laid.spread.replicas} nodes{lost}"


def _yes(so: bool) -> str:
    return "yes" if so else "no"
