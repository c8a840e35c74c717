"""The local copy of a server's gallery: with the server, without it, after it, and killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from checkpoints.errors import GalleryError, SealBroken
from pipeline.clock import now_ns
from pipeline.config import GalleryConfig, ServerConfig
from pipeline.gallery.copy import MirroredGallery, Pace
from pipeline.gallery.folder import open_edge
from pipeline.gallery.gallery import Cutout, Health, Picture
from pipeline.gallery.journal import Journal
from pipeline.gallery.memory import MemoryGallery
from pipeline.gallery.opening import gallery_of, reopen_of
from pipeline.gallery.pull import Pull
from pipeline.gallery.server import QdrantServerGallery

SPACE = "sface@sha256:aa"
DIM = 8
QUICK = Pace(pull_s=0.02, first_wait_s=0.01, longest_wait_s=0.05, close_s=5.0)
PATIENCE_S = 30.0

Mirror = Callable[..., MirroredGallery]


def face(n: int) -> NDArray[np.float32]:
    return np.random.default_rng(n).normal(size=DIM).astype(np.float32)


def picture(n: int, cutout: Cutout | None = None) -> Picture:
    return Picture(face(n), f"hash {n}", 0.5, cutout)


def config(peer: Any, timeout_s: float = 1.0) -> ServerConfig:
    return ServerConfig(peer.url, timeout_s=timeout_s)


def until(what: Callable[[], object]) -> None:
    """Ask again until it is true; the other threads run meanwhile."""
    start_ns = now_ns()
    pause = threading.Event()
    while not what():
        assert now_ns() - start_ns < PATIENCE_S * 1e9, "still waiting"
        pause.wait(0.005)


def names(gallery: MirroredGallery | QdrantServerGallery) -> dict[str, int]:
    return {person.name: person.pictures for person in gallery.people()}


@pytest.fixture
def mirror(tmp_path: Path) -> Iterator[Mirror]:
    made: list[MirroredGallery] = []

    def make(peer: Any, where: str = "here", pace: Pace = QUICK) -> MirroredGallery:
        folder = tmp_path / where
        folder.mkdir(exist_ok=True)
        server = QdrantServerGallery(config(peer), space=SPACE, dim=DIM)
        pull = Pull(folder / "mirrored.json", peer.url)
        local = open_edge(folder, space=SPACE, dim=DIM)
        made.append(MirroredGallery(local, server, Journal(folder / "journal"), pull, pace))
        return made[-1]

    yield make
    for gallery in made:
        gallery.close()


def at_server(peer: Any) -> dict[str, int]:
    server = QdrantServerGallery(config(peer), space=SPACE, dim=DIM)
    try:
        return names(server)
    finally:
        server.close()


def test_changes_reach_the_server_in_order(make_peer: Any, mirror: Mirror) -> None:
    peer = make_peer()
    gallery = mirror(peer)
    cutout = Cutout(b"\xff\xd8jpeg", np.ones((5, 2), np.float32))
    gallery.add("Ann", [picture(1, cutout), picture(2)])
    gallery.rename("Ann", "Zoë")
    gallery.add("Ann", [picture(3)])
    gallery.add(None, [picture(4)])
    gallery.delete("Ann")
    until(lambda: gallery.health() == Health(None, 0))
    server = QdrantServerGallery(config(peer), space=SPACE, dim=DIM)
    assert server.content_hash() == gallery.content_hash()
    assert {kept.picture.cutout.jpeg for kept in server.kept() if kept.picture.cutout} == {cutout.jpeg}
    server.close()


@pytest.mark.parametrize("fault", ["hang", "503", "drop", "garbage"])
def test_without_the_server_all_goes_on_and_is_told_later(make_peer: Any, mirror: Mirror, fault: str) -> None:
    peer = make_peer()
    gallery = mirror(peer)
    gallery.add("Ann", [picture(1)])
    until(lambda: gallery.health() == Health(None, 0))
    peer.fault = fault
    gallery.add("Bob", [picture(2)])
    gallery.add("Cleo", [picture(3)])
    gallery.merge("Cleo", "Bob")
    assert gallery.search(face(3)[None])[0][0].name == "Bob"
    until(lambda: gallery.health().away_s is not None)
    health = gallery.health()
    assert health.waiting == 3
    until(lambda: (gallery.health().away_s or 0) > (health.away_s or 0))
    peer.fault = ""
    until(lambda: gallery.health() == Health(None, 0))
    assert at_server(peer) == names(gallery) == {"Ann": 1, "Bob": 2}


def test_a_search_does_not_wait_for_a_server_that_hangs(make_peer: Any, mirror: Mirror) -> None:
    peer = make_peer()
    peer.fault = "hang"
    gallery = mirror(peer)
    gallery.add("Ann", [picture(1)])
    before = len(peer.requests)
    for _ in range(50):
        assert gallery.search(face(1)[None])[0][0].name == "Ann"
    assert len(peer.requests) == before
    peer.fault = ""


def test_what_was_not_told_is_told_by_the_next_run(make_peer: Any, mirror: Mirror) -> None:
    peer = make_peer()
    peer.fault = "503"
    gallery = mirror(peer, pace=Pace(0.02, 0.01, 0.05, close_s=0.05))
    gallery.add("Ann", [picture(1), picture(2)])
    gallery.close()
    peer.fault = ""
    gallery = mirror(peer)
    assert names(gallery) == {"Ann": 2}
    until(lambda: at_server(peer) == {"Ann": 2} and gallery.health().waiting == 0)


def test_what_others_change_is_seen(make_peer: Any, mirror: Mirror) -> None:
    peer = make_peer()
    one, other = mirror(peer, "one"), mirror(peer, "other")
    one.add("Ann", [picture(1), picture(2)])
    one.add(None, [picture(3)])
    until(lambda: names(other) == {"Ann": 2} and other.count() == 3)
    other.rename("Ann", "Zoë")
    until(lambda: names(one) == {"Zoë": 2})
    assert one.search(face(1)[None])[0][0].name == "Zoë"
    other.delete(None)
    until(lambda: one.count() == 2)
    one.remove([next(one.kept()).id])
    until(lambda: other.count() == 1)
    assert one.content_hash() == other.content_hash()


def test_what_changed_while_a_copy_was_closed(make_peer: Any, mirror: Mirror) -> None:
    peer = make_peer()
    one, other = mirror(peer, "one"), mirror(peer, "other")
    one.add("Ann", [picture(1)])
    one.add("Bob", [picture(2)])
    until(lambda: other.count() == 2)
    other.close()
    one.delete("Ann")
    one.rename("Bob", "Rob")
    until(lambda: one.health().waiting == 0)
    other = mirror(peer, "other")
    until(lambda: names(other) == {"Rob": 1})
    one.delete("Rob")
    until(lambda: other.count() == 0)  # an emptied server is emptied on purpose


def test_a_gallery_on_disk_is_taken_along_to_a_new_server(make_peer: Any, mirror: Mirror, tmp_path: Path) -> None:
    gallery = open_edge(tmp_path / "here", space=SPACE, dim=DIM)
    gallery.add("Ann", [picture(1)])
    gallery.close()
    peer = make_peer()
    server = QdrantServerGallery(config(peer), space=SPACE, dim=DIM)
    server.add("Bob", [picture(2)])
    server.close()
    both = mirror(peer)
    until(lambda: names(both) == {"Ann": 1, "Bob": 1} == at_server(peer))


def test_a_server_that_lost_everything_gets_it_back(make_peer: Any, mirror: Mirror) -> None:
    peer = make_peer()
    gallery = mirror(peer)
    gallery.add("Ann", [picture(1)])
    until(lambda: gallery.health() == Health(None, 0))
    peer.collections.clear()
    gallery.add("Bob", [picture(2)])
    until(lambda: "facewire" in peer.collections and at_server(peer) == {"Ann": 1, "Bob": 1})
    assert names(gallery) == {"Ann": 1, "Bob": 1}


def test_points_of_somebody_elses_program_are_left_alone(make_peer: Any, mirror: Mirror) -> None:
    peer = make_peer()
    server = QdrantServerGallery(config(peer), space=SPACE, dim=DIM)
    server.add("Ann", [picture(1)])
    server.close()
    points = peer.collections["facewire"].points
    stranger = next(iter(points.values()))
    with peer.lock:
        for n, person in enumerate(("A/../B", "\x1b[31m", 7)):
            points[f"00000000-0000-4000-8000-00000000000{n}"] = type(stranger)(
                stranger.vectors, {**stranger.payload, "person": person}
            )
    gallery = mirror(peer)
    until(lambda: names(gallery) == {"Ann": 1})
    assert gallery.health().away_s is None


@pytest.mark.parametrize("changed", ["yesterday", "", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00"])
def test_times_of_somebody_elses_program_hide_no_change(make_peer: Any, mirror: Mirror, changed: str) -> None:
    peer = make_peer()
    one, other = mirror(peer, "one"), mirror(peer, "other")
    one.add("Ann", [picture(1)])
    one.add("Eve", [picture(2)])
    until(lambda: other.count() == 2)
    points = peer.collections["facewire"].points
    with peer.lock:
        next(point for point in points.values() if point.payload["person"] == "Eve").payload["changed"] = changed
    again = mirror(peer, "again")
    until(lambda: again.count() == 2)
    one.rename("Ann", "Zoë")
    until(lambda: names(again) == names(other) == {"Zoë": 1, "Eve": 1})
    assert again.health().away_s is None


@pytest.mark.parametrize("error", [OSError("a disk that is gone"), ValueError("what nobody has thought of")])
def test_what_ends_the_thread_is_raised_where_health_is_asked_for(tmp_path: Path, error: Exception) -> None:
    class Broken(Pull):
        def run(self, *_: Any) -> None:
            raise error

    local = MemoryGallery(space=SPACE, dim=DIM)
    server = QdrantServerGallery(ServerConfig("http://localhost:1"), space=SPACE, dim=DIM)
    gallery = MirroredGallery(local, server, Journal(tmp_path / "journal"), Broken(tmp_path / "mark", "m"), QUICK)
    assert not gallery.catch_up(PATIENCE_S)
    for _ in range(2):
        with pytest.raises(type(error), match=str(error)):
            gallery.health()
    gallery.close()


def test_a_damaged_picture_is_trouble_and_the_thread_goes_on(tmp_path: Path) -> None:
    rounds: list[None] = []

    class Damaged(Pull):
        def run(self, *_: Any) -> None:
            rounds.append(None)
            raise SealBroken("A cut-out is damaged.")

    local = MemoryGallery(space=SPACE, dim=DIM)
    server = QdrantServerGallery(ServerConfig("http://localhost:1"), space=SPACE, dim=DIM)
    gallery = MirroredGallery(local, server, Journal(tmp_path / "journal"), Damaged(tmp_path / "mark", "m"), QUICK)
    until(lambda: len(rounds) > 2)
    assert isinstance(gallery.trouble(), SealBroken)
    assert gallery.health().away_s is not None
    gallery.close()


def test_a_configured_server_is_found_by_commands(make_peer: Any, tmp_path: Path) -> None:
    peer = make_peer(api_key="secret")
    server = ServerConfig(peer.url, api_key="secret", timeout_s=2.0)
    gallery = gallery_of(GalleryConfig(tmp_path / "one", server=server), space=SPACE, dim=DIM)
    gallery.add("Ann", [picture(1)])
    gallery.close()  # waits for what is on its way
    again = reopen_of(GalleryConfig(tmp_path / "two", server=server))
    assert [person.name for person in again.people()] == ["Ann"]
    assert (again.space, again.dim) == (SPACE, DIM)
    again.close()
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or b"secret" not in path.read_bytes()


def test_a_refusal_is_told_to_who_waits_and_kept_from_nobody_else(make_peer: Any, tmp_path: Path) -> None:
    peer = make_peer(api_key="secret")
    wrong = GalleryConfig(tmp_path, server=ServerConfig(peer.url, api_key="wrong", timeout_s=5.0))
    with pytest.raises(GalleryError, match="QDRANT_API_KEY"):
        gallery_of(wrong, space=SPACE, dim=DIM)
    gallery = gallery_of(wrong, space=SPACE, dim=DIM, share=False)
    assert isinstance(gallery, MirroredGallery)
    assert gallery.add("Ann", [picture(1)]) == 1
    until(lambda: gallery.trouble() is not None)
    assert gallery.health().waiting == 1
    gallery.close()


def test_commands_work_without_the_server(make_peer: Any, tmp_path: Path) -> None:
    peer = make_peer()
    peer.fault = "503"
    away = GalleryConfig(tmp_path, server=ServerConfig(peer.url, timeout_s=1.0))
    gallery = gallery_of(away, space=SPACE, dim=DIM)
    assert gallery.add("Ann", [picture(1)]) == 1
    gallery.close()
    again = reopen_of(away)
    assert [person.name for person in again.people()] == ["Ann"]
    assert again.health().waiting == 1
    again.close()


def test_a_copy_in_memory(make_peer: Any, tmp_path: Path) -> None:
    peer = make_peer()
    local = MemoryGallery(space=SPACE, dim=DIM)
    server = QdrantServerGallery(config(peer), space=SPACE, dim=DIM)
    gallery = MirroredGallery(local, server, Journal(tmp_path / "journal"), Pull(tmp_path / "mark", "m"), QUICK)
    gallery.add("Ann", [picture(1)])
    until(lambda: gallery.health() == Health(None, 0))
    gallery.close()
    assert at_server(peer) == {"Ann": 1}


# Enrols for ever with the server away, and says who is stored.
CHILD = """
import sys, numpy as np
from pathlib import Path
from pipeline.config import GalleryConfig, ServerConfig
from pipeline.gallery.opening import gallery_of
from pipeline.gallery.gallery import Picture
config = GalleryConfig(Path(sys.argv[1]), server=ServerConfig(sys.argv[2], timeout_s=1.0))
gallery = gallery_of(config, space="sface@sha256:aa", dim=8, share=False)
number = int(sys.argv[3])
while True:
    gallery.add(f"p{number}", [Picture(np.random.default_rng(number).normal(size=8).astype("f"), f"{number}", 0.5)])
    print(number, flush=True)
    number += 1
"""


def test_what_was_reported_reaches_the_server_after_a_kill(make_peer: Any, mirror: Mirror, tmp_path: Path) -> None:
    peer = make_peer()
    reported = 0
    for round_number in range(4):
        peer.fault = "503" if round_number % 2 else ""
        process = subprocess.Popen(
            [sys.executable, "-c", CHILD, str(tmp_path / "here"), peer.url, str(reported)],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        for _ in range(5 + 4 * round_number):
            reported = int(process.stdout.readline()) + 1
        os.kill(process.pid, signal.SIGKILL)
        rest, _ = process.communicate()
        reported = max([reported, *(int(line) + 1 for line in rest.splitlines())])
    peer.fault = ""
    gallery = mirror(peer)
    wanted = {f"p{n}" for n in range(reported)}
    assert wanted <= set(names(gallery)) <= wanted | {f"p{reported}"}
    until(lambda: gallery.health() == Health(None, 0))
    assert at_server(peer) == names(gallery)
