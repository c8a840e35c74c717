"""What a gallery costs on a cluster: memory, disk, network, searches a second, machines, money. Arithmetic only.

The figures of one point and of one search were measured with Qdrant's engine on one processor (docs/cluster.md);
nobody has measured a cluster here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from pipeline.gallery.spread import Spread

GB = 1e9

# For each point, measured: the graph with m = 16, and what says where a point is.
GRAPH_BYTES = 140
INT8_EXTRA_BYTES = 8
TRACKER_BYTES = 90
INDEX_BYTES = 160  # of payloads; on the disk from a million pictures on
PAYLOAD_BYTES = 400
BASE64 = 4 / 3
# Segments are built anew beside the old ones, and the log is written ahead.
REBUILDING = 1.5
# One search of one shard with ef 1024, measured at a million points of 128 numbers, and how it grew up to there.
SEARCH_MS = 3.3
SEARCH_POINTS = 1_000_000
SEARCH_GROWS_BY = 0.35
_NUMBER_TEXT_BYTES = 20.5  # of JSON
_HIT_BYTES = 110
_REQUEST_BYTES = 500
_HITS = 12  # four times as many pictures as people are asked for
# What a camera asks for besides faces (regulars.py, copy.py): whether the cluster is there and the same, each time, and
# now and then all of its regulars, of whom it has as many as it may have.
FOLLOW_EVERY_S = 20.0
FOLLOW_REQUESTS = 2
REGULARS_EVERY_S = 300.0
REGULARS_REQUESTS = 2
REGULARS = 500
REGULARS_PICTURES = 5_000
_LISTED_BYTES = 240  # id, name, hash and time of a picture in JSON
_NAME_BYTES = 24
_FILLED = 0.7  # of a processor or a disk; more is no plan
_FEWEST_NODES = 3  # of which two still are a majority
_MOST_NODES = 500


@dataclass(frozen=True, slots=True)
class Demand:
    """dim             numbers of an embedding: 128 of SFace and dlib, 512 of FaceNet
    cutout_bytes     the JPEG of a face; 0: none is kept on the server
    faces_per_hour   tracks that begin in front of a camera, on average over the day
    shots            embeddings that are looked up for each
    peak             how much more comes in the busiest minute
    """

    people: int = 10_000_000
    pictures_each: int = 3
    dim: int = 128
    cutout_bytes: int = 12_000
    cameras: int = 1_000
    faces_per_hour: float = 360.0
    shots: float = 5.0
    peak: float = 3.0


@dataclass(frozen=True, slots=True)
class Machine:
    """reads_per_s  of 4 KiB from its disk
    cost         a month, in whatever money the plan is to be in
    """

    memory_gb: float = 64.0
    disk_gb: float = 1_000.0
    cores: int = 8
    reads_per_s: float = 100_000.0
    cost: float = 150.0


@dataclass(frozen=True, slots=True)
class Sizing:
    """Of the whole cluster, with all replicas, unless it says otherwise.

    nodes             that hold it with one of them lost
    asked_per_s       searches in the busiest minute
    searches_per_s    that the processors of all nodes but one can do
    request_mbit_s    between stations and the cluster, in the busiest minute
    between_mbit_s    between the nodes
    follow_per_s      requests by which cameras see that the cluster is there and keep their regulars
    follow_mbit_s     what they take between stations and the cluster
    listed_per_s      pictures of regulars that are read for them, without cut-outs
    vectors_gb        whole vectors on the disk, which the system caches in what memory is left
    reads_per_s       of them from the disk of one node, in the busiest minute
    copy_gb           what a copy of everything would take on each station's disk, with and without cut-outs
    """

    points: int
    shards: int
    replicas: int
    nodes: int
    memory_gb: float
    disk_gb: float
    asked_per_s: float
    searches_per_s: float
    request_mbit_s: float
    between_mbit_s: float
    follow_per_s: float
    follow_mbit_s: float
    listed_per_s: float
    vectors_gb: float
    reads_per_s: float
    copy_gb: float
    copy_without_cutouts_gb: float
    cost: float


def sized(
    demand: Demand, machine: Machine, *, replicas: int = 2, nodes: int | None = None, shards: int | None = None
) -> Sizing:
    """For so many nodes, or for the fewest that can do it."""
    if nodes is not None:
        return _on_nodes(demand, machine, nodes, replicas, shards)
    fewest = _FEWEST_NODES if replicas > 1 else 1
    most = _MOST_NODES if shards is None else max(fewest, shards * replicas)
    for count in range(max(fewest, replicas), most + 1):
        plan = _on_nodes(demand, machine, count, replicas, shards)
        if not shortages(plan, machine):
            return plan
    return plan


def shortages(plan: Sizing, machine: Machine) -> list[str]:
    """What there is too little of, in sentences; the work of a node that is lost is done by the others."""
    filled = f"no more than {_FILLED:.0%} of a node is planned with"
    found = []
    if plan.shards * plan.replicas < plan.nodes:
        found.append(
            f"shards, {plan.shards} on {plan.replicas} nodes each leave some of {plan.nodes} nodes without any"
        )
    if plan.memory_gb > plan.nodes * machine.memory_gb * _FILLED:
        found.append(f"memory, {plan.memory_gb / plan.nodes:.0f} GB in each node of {machine.memory_gb:g}; {filled}")
    if plan.disk_gb > plan.nodes * machine.disk_gb * _FILLED:
        found.append(f"disk, {plan.disk_gb / plan.nodes:.0f} GB in each node of {machine.disk_gb:g}; {filled}")
    if plan.reads_per_s > machine.reads_per_s * _FILLED:
        found.append(f"disk, {plan.reads_per_s:.0f} reads a second of {machine.reads_per_s:.0f} in each node; {filled}")
    if plan.asked_per_s > plan.searches_per_s:
        found.append(f"processors, {plan.asked_per_s:.0f} searches a second of {plan.searches_per_s:.0f}; {filled}")
    return found


def memory_bytes_of_point(dim: int, *, indexes_on_disk: bool) -> int:
    kept = dim + INT8_EXTRA_BYTES + GRAPH_BYTES + TRACKER_BYTES
    return kept if indexes_on_disk else kept + INDEX_BYTES


def disk_bytes_of_point(dim: int, cutout_bytes: int) -> float:
    vector = 4 * dim + dim + INT8_EXTRA_BYTES + GRAPH_BYTES
    return vector + TRACKER_BYTES + INDEX_BYTES + PAYLOAD_BYTES + cutout_bytes * BASE64


def search_ms(points: float, dim: int) -> float:
    """One core, one search, one shard of so many points."""
    grown = math.pow(points / SEARCH_POINTS, SEARCH_GROWS_BY)
    return SEARCH_MS * grown * (2 + dim / 128) / 3


def _on_nodes(demand: Demand, machine: Machine, nodes: int, replicas: int, shards: int | None) -> Sizing:
    points = demand.people * demand.pictures_each
    spread = Spread.of_nodes(nodes, shards=shards, replicas=replicas, pictures=points)
    copies = points * spread.replicas
    memory = copies * memory_bytes_of_point(demand.dim, indexes_on_disk=spread.indexes_on_disk) * REBUILDING
    disk = copies * disk_bytes_of_point(demand.dim, demand.cutout_bytes) * REBUILDING
    asked = demand.cameras * demand.faces_per_hour / 3600 * demand.shots * demand.peak
    busy_s = spread.shards * search_ms(points / spread.shards, demand.dim) / 1000
    # A node without a shard of its own does no search.
    working = max(1, min(nodes, spread.shards * spread.replicas) - 1)
    vectors = copies * 4 * demand.dim
    cached = min(1.0, max(0.0, nodes * machine.memory_gb * _FILLED * GB - memory) / vectors)
    request = demand.dim * _NUMBER_TEXT_BYTES + _REQUEST_BYTES + _HITS * _HIT_BYTES
    between = (spread.shards * (nodes - 1) / nodes) * (4 * demand.dim + _HITS * _HIT_BYTES)
    people = min(REGULARS, demand.people)
    listed = min(REGULARS_PICTURES, people * demand.pictures_each)
    own = demand.cutout_bytes + PAYLOAD_BYTES + 4 * demand.dim + GRAPH_BYTES
    return Sizing(
        points=points,
        shards=spread.shards,
        replicas=spread.replicas,
        nodes=nodes,
        memory_gb=memory / GB,
        disk_gb=disk / GB,
        asked_per_s=asked,
        searches_per_s=working * machine.cores * _FILLED / busy_s,
        request_mbit_s=asked * request * 8 / 1e6,
        between_mbit_s=asked * between * 8 / 1e6,
        follow_per_s=demand.cameras * (FOLLOW_REQUESTS / FOLLOW_EVERY_S + REGULARS_REQUESTS / REGULARS_EVERY_S),
        follow_mbit_s=demand.cameras * (listed * _LISTED_BYTES + people * _NAME_BYTES) / REGULARS_EVERY_S * 8 / 1e6,
        listed_per_s=demand.cameras * listed / REGULARS_EVERY_S,
        vectors_gb=vectors / GB,
        reads_per_s=(1 - cached) * asked * spread.shards * 2 * _HITS / working,
        copy_gb=points * own / GB,
        copy_without_cutouts_gb=points * (own - demand.cutout_bytes) / GB,
        cost=nodes * machine.cost,
    )
