from __future__ import annotations

from collections.abc import Iterator

import pytest

from app.archive.shelf import PART, SIGHTING
from app.archive.shelf_on_server import ShelfOnServer, open_on_server
from checkpoints.errors import ArchiveError
from pipeline.config import ServerConfig
from tests.app.archive.test_shelf import part_of
from tests.app.archive.test_sighting import sighting
from tests.pipeline.gallery.qdrant_peer import QdrantPeer


@pytest.fixture
def peer() -> Iterator[QdrantPeer]:
    made = QdrantPeer(nodes=3)
    yield made
    made.close()


def opened(peer: QdrantPeer, *, space: str = "painted@1", make: bool = True) -> ShelfOnServer:
    config = ServerConfig(peer.url, timeout_s=1.0)
    return open_on_server(config, "archive", space=space, dim=8, make=make, pauses_s=(0.0, 0.0))


def test_the_collection_is_laid_out_over_the_nodes_and_indexed(peer: QdrantPeer) -> None:
    opened(peer).close()
    kept = peer.collections["archive"]
    assert (kept.asked["shard_number"], kept.asked["replication_factor"]) == (6, 2)
    assert kept.asked["vectors"]["face"]["on_disk"] is True
    assert set(kept.indexes) == {"kind", "camera", "recording", "first", "last"}


def test_indexes_that_a_killed_run_has_not_made_are_made_by_the_next(peer: QdrantPeer) -> None:
    opened(peer).close()
    peer.collections["archive"].indexes.clear()
    opened(peer, make=False).close()
    assert not peer.collections["archive"].indexes
    opened(peer).close()
    assert set(peer.collections["archive"].indexes) == {"kind", "camera", "recording", "first", "last"}


def test_the_point_that_says_done_goes_in_a_request_of_its_own_after_all_others(peer: QdrantPeer) -> None:
    shelf = opened(peer)
    shelf.put(part_of(*(sighting(number) for number in range(100))))
    kinds = [
        {point["payload"]["kind"] for point in body["points"]}
        for method, path, body in peer.requests
        if method == "PUT" and path.endswith("/points")
    ]
    assert kinds == [{SIGHTING}, {SIGHTING}, {PART}]
    assert shelf.count(SIGHTING) == 100
    shelf.close()


def test_several_may_open_it_at_once(peer: QdrantPeer) -> None:
    one, other = opened(peer), opened(peer, make=False)
    one.put(part_of(sighting()))
    assert other.count(SIGHTING) == 1
    one.close()
    other.close()


def test_another_embedder_is_refused(peer: QdrantPeer) -> None:
    opened(peer).close()
    with pytest.raises(ArchiveError) as caught:
        opened(peer, space="other@2")
    assert "painted@1" in (caught.value.saw or "")


def test_nothing_is_made_by_who_only_looks(peer: QdrantPeer) -> None:
    with pytest.raises(ArchiveError):
        opened(peer, make=False)
    assert peer.collections == {}


def test_a_server_that_is_away_for_a_while_is_waited_for(peer: QdrantPeer) -> None:
    waited = []

    class Pauses(tuple[float, ...]):
        def __iter__(self) -> Iterator[float]:
            for pause_s in super().__iter__():
                yield pause_s
                waited.append(pause_s)
                peer.fault = ""  # it is back

    config = ServerConfig(peer.url, timeout_s=1.0)
    shelf = open_on_server(config, "archive", space="painted@1", dim=8, make=True, pauses_s=Pauses((0.0, 0.0)))
    peer.fault = "503"
    shelf.put(part_of(sighting()))
    assert shelf.count(SIGHTING) == 1
    assert waited
    shelf.close()


def test_a_server_that_stays_away_ends_the_run_with_what_to_do(peer: QdrantPeer) -> None:
    shelf = opened(peer)
    peer.fault = "503"
    with pytest.raises(ArchiveError) as caught:
        shelf.put(part_of(sighting()))
    assert "goes on where it was" in (caught.value.fix or "")
    shelf.close()


def test_another_node_answers_for_one_that_is_gone(peer: QdrantPeer) -> None:
    gone = QdrantPeer()
    gone.close()
    config = ServerConfig(gone.url, timeout_s=1.0, further=(peer.url,))
    shelf = open_on_server(config, "archive", space="painted@1", dim=8, make=True, pauses_s=())
    shelf.put(part_of(sighting()))
    assert shelf.count(SIGHTING) == 1
    shelf.close()
