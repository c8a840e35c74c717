"""A gallery that is looked up on the cluster: with one node lost, with all of them, and when they are back."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from checkpoints.errors import GalleryError
from engines.models import embedder_model
from engines.options import EngineOptions
from pipeline.clock import now_ns
from pipeline.config import GalleryConfig, ServerConfig
from pipeline.gallery import regulars as of_regulars
from pipeline.gallery.calibration import threshold_for_size
from pipeline.gallery.copy import Pace
from pipeline.gallery.far import FarGallery
from pipeline.gallery.folder import open_edge
from pipeline.gallery.gallery import Health, Match, Picture
from pipeline.gallery.journal import Journal
from pipeline.gallery.matcher import FarMatcher, open_matcher
from pipeline.gallery.memory import MemoryGallery
from pipeline.gallery.regulars import OFTEN, Regulars
from pipeline.gallery.server import QdrantServerGallery

SPACE, DIM = "sface@sha256:aa", 8
QUICK = Pace(pull_s=0.02, first_wait_s=0.01, longest_wait_s=0.05, close_s=5.0)
PATIENCE_S = 30.0
KNOWN = embedder_model(EngineOptions()).known


def face(n: int) -> NDArray[np.float32]:
    return np.random.default_rng(n).normal(size=DIM).astype(np.float32)


def picture(n: int) -> Picture:
    return Picture(face(n), f"hash {n}", 0.5)


def until(what: Callable[[], object]) -> None:
    start_ns, pause = now_ns(), threading.Event()
    while not what():
        assert now_ns() - start_ns < PATIENCE_S * 1e9, "still waiting"
        pause.wait(0.005)


class Station:
    def __init__(self, folder: Path, *peers: Any) -> None:
        folder.mkdir(exist_ok=True)
        first, *further = [peer.url for peer in peers]
        server = ServerConfig(first, further=tuple(further), timeout_s=1.0)
        self.local = open_edge(folder, space=SPACE, dim=DIM)
        self.server = QdrantServerGallery(server, space=SPACE, dim=DIM)
        self.gallery = FarGallery(
            self.local,
            self.server,
            Journal(folder / "journal"),
            Regulars(all_every_s=0.0),
            QUICK,
        )

    def best(self, n: int) -> str | None:
        ((match,),) = self.gallery.search(face(n)[None], limit=1)
        return match.name

    def kept_here(self) -> dict[str | None, int]:
        names = [entry.name for entry in self.local.entries()]
        return {name: names.count(name) for name in names}


@pytest.fixture
def cluster(make_peer: Any) -> list[Any]:
    """Two nodes, and people who were enrolled elsewhere."""
    first = make_peer(nodes=2)
    server = QdrantServerGallery(ServerConfig(first.url), space=SPACE, dim=DIM)
    server.add("Ann", [picture(1), picture(2)])
    server.add("Bob", [picture(3)])
    server.close()
    return [first, make_peer(nodes=2, also_at=first)]


@pytest.fixture
def station(tmp_path: Path, cluster: list[Any]) -> Iterator[Station]:
    made = Station(tmp_path / "here", *cluster)
    yield made
    made.gallery.close()


def test_faces_are_looked_up_on_the_cluster_and_nothing_is_copied(station: Station) -> None:
    assert (station.best(1), station.best(3)) == ("Ann", "Bob")
    assert station.gallery.catch_up(PATIENCE_S)
    assert station.kept_here() == {}
    assert station.gallery.count() == 3


def test_with_one_node_lost_the_other_answers(station: Station, cluster: list[Any]) -> None:
    assert station.best(1) == "Ann"
    cluster[0].fault = "drop"
    assert (station.best(1), station.best(3)) == ("Ann", "Bob")
    assert station.gallery.health() == Health(None, 0)


def test_without_any_node_those_who_come_often_are_still_known(
    station: Station, cluster: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(OFTEN):
        assert station.best(1) == "Ann"
    assert station.best(3) == "Bob"
    until(lambda: station.kept_here() == {"Ann": 2})
    for peer in cluster:
        peer.fault = "503"
    assert station.best(1) == "Ann"
    assert station.gallery.health().away_s is not None
    asked: list[object] = []
    with monkeypatch.context() as patched:
        patched.setattr(station.server, "search", lambda rows, limit: asked.append(rows))
        assert station.best(2) == "Ann"
    assert asked == []  # the cluster is not asked for each face again
    for peer in cluster:
        peer.fault = ""
    until(lambda: station.gallery.health() == Health(None, 0))
    assert station.best(3) == "Bob"


def test_who_is_enrolled_while_it_is_away_is_known_at_once_and_told_later(station: Station, cluster: list[Any]) -> None:
    station.best(1)
    for peer in cluster:
        peer.fault = "hang"
    assert station.gallery.add("Cleo", [picture(9)]) == 1
    assert station.best(9) == "Cleo"
    for peer in cluster:
        peer.fault = ""
        peer.closing.set()  # lets go of whoever hangs
    until(lambda: station.gallery.health() == Health(None, 0))
    assert {person.name for person in station.gallery.people()} == {"Ann", "Bob", "Cleo"}


def test_what_is_kept_here_follows_the_cluster(station: Station, cluster: list[Any]) -> None:
    for _ in range(OFTEN):
        station.best(1), station.best(3)
    until(lambda: station.kept_here() == {"Ann": 2, "Bob": 1})
    server = QdrantServerGallery(ServerConfig(cluster[0].url), space=SPACE, dim=DIM)
    server.rename("Ann", "Anna")
    server.delete("Bob")
    server.close()
    until(lambda: station.kept_here() == {"Anna": 2})


def test_more_than_fit_are_left_to_the_cluster(station: Station, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(of_regulars, "MOST_PICTURES", 2)
    for _ in range(OFTEN):
        station.best(1)
    until(lambda: station.kept_here() == {"Ann": 2})
    station.gallery.add("Cleo", [picture(9)])  # nobody has come often by this name
    until(lambda: station.kept_here() == {"Ann": 2})
    assert station.best(9) == "Cleo"


def test_a_stranger_whose_nearest_is_another_each_time_is_no_regular() -> None:
    regulars = Regulars()
    regulars.met([[Match(f"{n}", 0.3)] for n in range(100)] + [[], [Match(None, 0.9)]])
    assert regulars.names() == []
    regulars.met([[Match("Ann", 0.7), Match("Bob", 0.3)]] * OFTEN)
    assert regulars.names() == ["Ann"]


def test_all_regulars_are_one_request_and_between_two_looks_at_all_only_new_ones_are_asked_for(
    tmp_path: Path, make_peer: Any
) -> None:
    peer = make_peer()
    server = QdrantServerGallery(ServerConfig(peer.url), space=SPACE, dim=DIM)
    for n in range(30):
        server.add(f"P{n}", [picture(n)])
    local, journal = open_edge(tmp_path / "here", space=SPACE, dim=DIM), Journal(tmp_path / "journal")
    regulars = Regulars()

    def asked(*met: int) -> list[str]:
        """The last words of what the peer was asked for, after these came often."""
        regulars.met([[Match(f"P{n}", 0.9)] for n in met] * OFTEN)
        before = len(peer.requests)
        regulars.run(local, server, journal, threading.Condition(), lambda: False)
        return [path.rpartition("/")[2] for _, path, _ in peer.requests[before:]]

    look = ["exists", "facewire"]
    assert asked(*range(20)) == [*look, "scroll", "points"]  # and the pictures themselves
    assert asked() == look
    assert asked(25) == [*look, "scroll", "points"]
    assert {entry.name for entry in local.entries()} == {f"P{n}" for n in (*range(20), 25)}
    fresh = Regulars()
    fresh.run(local, server, journal, threading.Condition(), lambda: False)
    assert [path.rpartition("/")[2] for _, path, _ in peer.requests[-3:]] == [*look, "points"]
    local.close()
    journal.close()
    server.close()


def test_the_threshold_is_that_of_the_size_and_nothing_is_listed(tmp_path: Path) -> None:
    class Large(MemoryGallery):
        pictures = 30_000_000

        def count(self) -> int:
            return self.pictures

        def entries(self, names: object = None) -> Any:
            raise AssertionError("thirty million pictures are not listed")

    gallery = Large(space=KNOWN.embedding_space, dim=KNOWN.embedding_dim or 0)
    config = GalleryConfig(tmp_path, ServerConfig("http://q", reads="server"))
    matcher = open_matcher(gallery, KNOWN, config)
    assert isinstance(matcher, FarMatcher)
    assert not matcher.refresh()
    large = matcher.threshold
    assert large == threshold_for_size(KNOWN, 30_000_000, config.false_names, margin=matcher.votes.margin)
    gallery.pictures += 20_000  # of which the threshold does not depend
    assert not matcher.refresh()
    gallery.pictures = 3_000
    assert matcher.refresh()
    assert matcher.threshold < large
    assert open_matcher(gallery, KNOWN, replace(config, match_threshold=0.4)).threshold == 0.4
    with pytest.raises(GalleryError, match="support vector machine"):
        open_matcher(gallery, KNOWN, replace(config, matcher="svm"))
