from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.gallery.spread import INDEXES, Laid, Replica, Spread, differences, faults

THREE = Spread(shards=2, replicas=2, confirmations=2)
WELL = Laid(
    THREE,
    "green",
    10,
    frozenset(INDEXES),
    (Replica(0, 1, "Active"), Replica(0, 2, "Active"), Replica(1, 2, "Active"), Replica(1, 3, "Active")),
    {"http://a": 3, "http://b": 3},
)


@pytest.mark.parametrize(
    ("nodes", "shards", "replicas"), [(1, 1, 1), (2, 4, 2), (3, 6, 2), (6, 12, 2), (9, 12, 2), (24, 12, 2), (40, 20, 2)]
)
def test_every_node_has_work_and_a_small_cluster_can_double(nodes: int, shards: int, replicas: int) -> None:
    spread = Spread.of_nodes(nodes)
    assert (spread.shards, spread.replicas, spread.confirmations) == (shards, replicas, replicas)
    assert spread.shards * spread.replicas >= nodes


def test_what_is_wished_is_done_as_far_as_there_are_nodes() -> None:
    assert Spread.of_nodes(5, shards=7, replicas=3) == Spread(7, 3, 3)
    assert Spread.of_nodes(2, replicas=3).replicas == 2


def test_indexes_of_a_million_lie_on_the_disk() -> None:
    assert not Spread.of_nodes(3, pictures=999_999).indexes_on_disk
    assert Spread.of_nodes(3, pictures=1_000_000).indexes_on_disk


def test_the_same_layout_differs_in_nothing() -> None:
    assert list(differences(THREE, THREE)) == []


@pytest.mark.parametrize(
    ("there", "word"),
    [
        (replace(THREE, shards=3), "3 shards, 2"),
        (replace(THREE, replicas=1), "on 1 nodes, 2"),
        (replace(THREE, confirmations=1), "by 1 replicas, 2"),
        (replace(THREE, int8=False), "INT8 vectors in memory: no, yes"),
        (replace(THREE, vectors_on_disk=False), "whole vectors on disk: no"),
        (replace(THREE, payloads_on_disk=False), "payloads on disk: no"),
        (replace(THREE, indexes_on_disk=True), "indexes of payloads on disk: yes, no"),
    ],
)
def test_each_difference_is_said(there: Spread, word: str) -> None:
    (said,) = differences(THREE, there)
    assert word in said


def test_a_cluster_that_is_well_has_no_faults() -> None:
    assert list(faults(WELL)) == []
    assert list(faults(replace(WELL, spread=Spread(1, 1, 1), replicas=(), nodes={"http://a": 1}))) == []


@pytest.mark.parametrize(
    ("laid", "words"),
    [
        (replace(WELL, nodes={"http://a": 3, "http://b": None}), ["http://b does not answer"]),
        (replace(WELL, nodes={"http://a": 3, "http://b": 2}), ["do not agree on how many they are: 2, 3"]),
        (replace(WELL, status="red"), ["red"]),
        (replace(WELL, indexed=frozenset(INDEXES[1:])), ["the field person has no index"]),
        (
            replace(WELL, replicas=(*WELL.replicas[:3], Replica(1, 3, "Dead"))),
            ["shard 1 is Dead on node 3", "shard 1 is whole on 1 of 2 nodes"],
        ),
        (replace(WELL, replicas=WELL.replicas[:2]), ["shard 1 is whole on 0 of 2 nodes; its pictures cannot be found"]),
    ],
)
def test_each_fault_is_said(laid: Laid, words: list[str]) -> None:
    for said, word in zip(faults(laid), words, strict=True):
        assert word in said
