"""A cluster that has lost a node: the next one answers, at once and later, and nothing is there twice."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import numpy as np
import pytest

from checkpoints.errors import GalleryAway, GalleryError
from pipeline.config import ServerConfig
from pipeline.gallery.gallery import Picture
from pipeline.gallery.nodes import Nodes
from pipeline.gallery.server import QdrantServerGallery

DIM = 8


@pytest.fixture
def closing() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def cluster(make_peer: Any) -> list[Any]:
    first = make_peer(nodes=3)
    return [first, make_peer(nodes=3, also_at=first), make_peer(nodes=3, also_at=first)]


def config_of(peers: list[Any], **more: Any) -> ServerConfig:
    return ServerConfig(peers[0].url, further=tuple(peer.url for peer in peers[1:]), **{"timeout_s": 1.0, **more})


def gallery_on(peers: list[Any], closing: ExitStack, **more: Any) -> QdrantServerGallery:
    made = QdrantServerGallery(config_of(peers, **more), space="space", dim=DIM)
    closing.callback(made.close)
    return made


def picture(n: int) -> Picture:
    return Picture(np.random.default_rng(n).normal(size=DIM).astype(np.float32), f"{n}", 0.5)


@pytest.mark.parametrize("fault", ["503", "drop", "garbage", "hang"])
def test_reads_and_writes_survive_the_loss_of_a_node(make_peer: Any, closing: ExitStack, fault: str) -> None:
    peers = cluster(make_peer)
    gallery = gallery_on(peers, closing)
    gallery.add("Ann", [picture(1)])
    peers[0].fault = fault
    assert [person.name for person in gallery.people()] == ["Ann"]
    assert gallery.add("Bob", [picture(2)]) == 1
    ((best,),) = gallery.search(picture(2).embedding[None], limit=1)
    assert best.name == "Bob"
    assert gallery.count() == 2


def test_a_silent_node_is_asked_last_until_it_has_rested(make_peer: Any, closing: ExitStack) -> None:
    peers = cluster(make_peer)
    gallery = gallery_on(peers, closing)
    gallery.add("Ann", [picture(1)])
    peers[0].fault = "503"
    gallery.people()
    peers[0].fault = ""
    before = len(peers[0].requests)
    gallery.people()
    assert len(peers[0].requests) == before
    for peer in peers[1:]:
        peer.fault = "503"
    gallery.people()  # nobody else is left: it is asked although it rests
    assert len(peers[0].requests) > before


def test_no_node_answers(make_peer: Any, closing: ExitStack) -> None:
    peers = cluster(make_peer)
    gallery = gallery_on(peers, closing)
    gallery.add("Ann", [picture(1)])
    for peer in peers:
        peer.fault = "503"
    with pytest.raises(GalleryAway) as caught:
        gallery.people()
    assert [line.split(",")[0] for line in str(caught.value.saw).splitlines()] == [peer.url for peer in peers]


def test_a_wrong_key_is_not_taken_to_the_next_node(make_peer: Any, closing: ExitStack) -> None:
    peers = [make_peer(api_key="s3cret"), make_peer()]
    with pytest.raises(GalleryError, match="QDRANT_API_KEY") as caught:
        gallery_on(peers, closing, api_key="wr0ng").people()
    assert not isinstance(caught.value, GalleryAway)
    assert peers[1].requests == []


def test_every_node_is_asked_how_it_is(make_peer: Any, closing: ExitStack) -> None:
    peers = cluster(make_peer)
    peers[1].fault = "503"
    nodes = Nodes(config_of(peers))
    closing.callback(nodes.close)
    assert nodes.each(lambda client: 1) == {peer.url: 1 for peer in peers}
    assert nodes.each(lambda client: client.collection_exists("facewire")) == {
        peers[0].url: False,
        peers[1].url: None,
        peers[2].url: False,
    }
