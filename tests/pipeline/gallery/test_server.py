"""What only a server can do: be away, half up, refuse; and how it is asked. The peer is told of in qdrant_peer.py."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from checkpoints.errors import GalleryAway, GalleryError
from pipeline.clock import now_ns
from pipeline.config import ServerConfig
from pipeline.gallery.gallery import Picture
from pipeline.gallery.server import QdrantServerGallery, server_space

SPACE = "sface@sha256:aa"
DIM = 8


class Servers:
    """Galleries on servers that are closed after the test."""

    def __init__(self) -> None:
        self.made: list[QdrantServerGallery] = []

    def __call__(self, url: str, space: str = SPACE, dim: int = DIM, **more: Any) -> QdrantServerGallery:
        config = ServerConfig(url, **{"timeout_s": 5.0, **more})
        self.made.append(QdrantServerGallery(config, space=space, dim=dim))
        return self.made[-1]


@pytest.fixture
def server() -> Iterator[Servers]:
    servers = Servers()
    yield servers
    for gallery in servers.made:
        gallery.close()


def picture(n: int) -> Picture:
    return Picture(np.random.default_rng(n).normal(size=DIM).astype(np.float32), f"{n}", 0.5)


def test_one_node_gets_a_plain_collection(make_peer: Any, server: Servers) -> None:
    peer = make_peer()
    server(peer.url).add("Ann", [picture(1)])
    asked = peer.collections["facewire"].asked
    assert asked["vectors"] == {"size": DIM, "distance": "Cosine", "on_disk": True}
    assert (asked["shard_number"], asked["replication_factor"], asked["write_consistency_factor"]) == (1, 1, 1)
    assert asked["quantization_config"] == {"scalar": {"type": "int8", "quantile": 0.99, "always_ram": True}}
    assert asked["on_disk_payload"] is True
    assert peer.collections["facewire"].indexes == {
        "person": "keyword",
        "image_hash": "keyword",
        "embedding_space": "keyword",
        "changed": "datetime",
    }


def test_a_cluster_gets_shards_and_replicas(make_peer: Any, server: Servers) -> None:
    peer = make_peer(nodes=3)
    server(peer.url, collection="door").prepare()
    asked = peer.collections["door"].asked
    assert (asked["shard_number"], asked["replication_factor"], asked["write_consistency_factor"]) == (6, 2, 2)


def test_all_faces_of_a_frame_are_one_request(make_peer: Any, server: Servers) -> None:
    peer = make_peer()
    gallery = server(peer.url)
    gallery.add("Ann", [picture(1), picture(2)])
    before = len(peer.requests)
    gallery.search(np.stack([picture(n).embedding for n in range(5)]))
    ((method, path, body),) = peer.requests[before:]
    assert (method, path) == ("POST", "/collections/facewire/points/query/batch")
    assert len(body["searches"]) == 5
    assert body["searches"][0]["params"]["quantization"] == {"rescore": True, "oversampling": 2.0}
    assert body["searches"][0]["with_payload"] == ["person"]


def test_another_space_is_refused(make_peer: Any, server: Servers) -> None:
    peer = make_peer()
    server(peer.url).add("Ann", [picture(1)])
    for space, dim in (("facenet@sha256:bb", DIM), (SPACE, 16)):
        with pytest.raises(GalleryError, match=f"(?s){SPACE}.*{space}"):
            server(peer.url, space, dim).people()
    config = ServerConfig(peer.url)
    assert server_space(config) == (SPACE, DIM)
    assert server_space(ServerConfig(peer.url, collection="none")) is None
    with peer.lock:
        peer.collections["facewire"].asked["metadata"] = None
        next(iter(peer.collections["facewire"].points.values())).payload["embedding_space"] = "facenet@sha256:bb"
    with pytest.raises(GalleryError, match="another embedder"):
        server(peer.url).people()


def test_the_key_is_sent_and_never_said(make_peer: Any, server: Servers) -> None:
    peer = make_peer(api_key="s3cret")
    assert server(peer.url, api_key="s3cret").add("Ann", [picture(1)]) == 1
    for key in (None, "wr0ng"):
        with pytest.raises(GalleryError, match="QDRANT_API_KEY") as caught:
            server(peer.url, api_key=key).people()
        assert not isinstance(caught.value, GalleryAway)
        assert "wr0ng" not in str(caught.value)


@pytest.mark.parametrize("fault", ["503", "drop", "garbage", "hang"])
def test_a_server_that_is_not_well_is_away(make_peer: Any, server: Servers, fault: str) -> None:
    peer = make_peer()
    gallery = server(peer.url, timeout_s=1.0)
    gallery.add("Ann", [picture(1)])
    peer.fault = fault
    for ask in (
        lambda: gallery.search(picture(1).embedding[None]),
        lambda: gallery.add("Bob", [picture(2)]),
        lambda: gallery.people(),
        lambda: gallery.prepare(),
    ):
        start_ns = now_ns()
        with pytest.raises(GalleryAway):
            ask()
        assert now_ns() - start_ns < 30e9  # it comes back; how quickly depends on the machine
    peer.fault = ""
    assert [person.name for person in gallery.people()] == ["Ann"]


def test_nobody_listens(server: Servers) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        with pytest.raises(GalleryAway, match="does not answer"):
            server(f"http://127.0.0.1:{port}").people()
        with pytest.raises(GalleryAway, match="does not answer"):
            server(f"http://127.0.0.1:{port}", grpc_port=port, timeout_s=1.0).people()


def test_a_plain_server_asked_for_tls_is_away(make_peer: Any, server: Servers) -> None:
    with pytest.raises(GalleryAway):
        server(make_peer().url.replace("http:", "https:"), timeout_s=1.0).people()


@pytest.mark.parametrize("url", ["ftp://host:1", "host:6333", ""])
def test_an_address_that_is_none(server: Servers, url: str) -> None:
    with pytest.raises(GalleryError, match="QDRANT_URL|address"):
        server(url)


def test_a_collection_that_was_dropped_is_made_again(make_peer: Any, server: Servers) -> None:
    peer = make_peer()
    gallery = server(peer.url)
    gallery.add("Ann", [picture(1)])
    first = gallery.made
    peer.collections.clear()
    with pytest.raises(GalleryError):
        gallery.people()
    assert gallery.people() == []
    assert gallery.made != first


def test_many_pictures_go_in_portions(make_peer: Any, server: Servers) -> None:
    peer = make_peer()
    gallery = server(peer.url)
    assert gallery.add("Ann", [picture(n) for n in range(150)]) == 150
    sizes = [len(body["points"]) for method, path, body in peer.requests if (method, path[-7:]) == ("PUT", "/points")]
    assert sizes == [64, 64, 22]


def test_the_peer_finds_what_is_not_described(make_peer: Any) -> None:
    """The measure must be able to fail."""
    peer = make_peer()
    at = "/collections/facewire/points"
    wrong = [
        ("POST", f"{at}/search", {"vector": [1.0], "limit": 1}),
        ("POST", f"{at}/scroll", {"limit": "10"}),
        ("POST", f"{at}/scroll", {"limits": 10}),
        ("POST", f"{at}/scroll?wait=true", {"limit": 10}),
        ("PUT", f"{at}?wait=yes", {"points": []}),
        ("PUT", at, {"points": [{"id": "a"}]}),
        ("PUT", "/collections/facewire", {"vectors": {"size": 8, "distance": "Cosinus"}}),
        ("GET", "/collections/facewire", {}),
    ]
    for method, target, body in wrong:
        assert peer.answer(method, target, body)[0] == 400, (method, target, body)
    assert len(peer.violations) == len(wrong)
    peer.violations.clear()
