"""gallery cluster, as it is typed; the server is the peer of the gallery's tests."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.commands import main
from checkpoints.sealed import new_key
from pipeline.gallery.gallery import Cutout, Picture
from pipeline.gallery.opening import open_gallery
from tests.pipeline.gallery.qdrant_peer import QdrantPeer

SPACE, DIM = "sface@sha256:aa", 8
Run = Callable[..., str]


@pytest.fixture
def make_peer() -> Iterator[Callable[..., QdrantPeer]]:
    peers: list[QdrantPeer] = []

    def make(**told: Any) -> QdrantPeer:
        peers.append(QdrantPeer(**told))
        return peers[-1]

    yield make
    for peer in peers:
        peer.close()
    assert [violation for peer in peers for violation in peer.violations] == []


@pytest.fixture
def peer(make_peer: Callable[..., QdrantPeer]) -> QdrantPeer:
    return make_peer(nodes=3)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    gallery = open_gallery(tmp_path / "gallery", space=SPACE, dim=DIM)
    random = np.random.default_rng(1)
    gallery.add(
        "Zoë",
        [
            Picture(
                random.normal(size=DIM).astype(np.float32), f"{n}", 0.5, Cutout(b"jpeg", np.ones((5, 2), np.float32))
            )
            for n in range(300)
        ],
    )
    gallery.close()
    return tmp_path / "gallery"


@pytest.fixture
def run(folder: Path, peer: QdrantPeer, capsys: pytest.CaptureFixture[str]) -> Run:
    def it(*words: str, code: int = 0, server: str = peer.url) -> str:
        found = main(["gallery", "cluster", *words, "--gallery", str(folder), "--server", server])
        out = capsys.readouterr()
        assert found == code, out
        return out.out if code < 2 else out.err

    return it


def test_one_command_lays_a_collection_out_for_the_gallery_of_this_disk(run: Run, peer: QdrantPeer) -> None:
    said = json.loads(run("create", "--json", "--pictures", "2000000"))
    assert (said["made"], said["space"], said["dim"]) == (True, SPACE, DIM)
    asked = peer.collections["facewire"].asked
    assert (asked["shard_number"], asked["replication_factor"], asked["write_consistency_factor"]) == (6, 2, 2)
    assert asked["quantization_config"] == {"scalar": {"type": "int8", "quantile": 0.99, "always_ram": True}}
    assert peer.collections["facewire"].indexes["person"] == {"type": "keyword", "on_disk": True}
    assert "was there already" in run("create", "--pictures", "2000000")
    assert "has 6 shards, 5 are wished" in run("create", "--shards", "5", code=2)


def test_more_replicas_than_nodes_are_refused(run: Run, peer: QdrantPeer) -> None:
    assert "the cluster has 3 nodes" in run("create", "--replicas", "4", code=2)
    assert peer.collections == {}


def test_a_gallery_is_moved_and_checked(run: Run, peer: QdrantPeer) -> None:
    assert "There is no such collection." in run("check", code=2)
    said = run("move").splitlines()
    assert said[0] == "300 pictures brought, 0 given the name they have here"
    assert said[1] == "pictures here 300, there 300, compared 300"
    assert said[-1] == "all of it is there"
    assert json.loads(run("move", "--json"))["put"] == 0
    assert run("check", "--compare").splitlines()[-1] == "all is well"
    peer.collections["facewire"].points.popitem()
    assert "gallery cluster move" in run("check", "--compare", code=1).splitlines()[-1]
    assert json.loads(run("check", "--compare", "--json", code=1))["compared"]["pictures"] == 299


def test_an_encrypted_gallery_is_laid_out_for_moved_and_compared_with_its_key(
    run: Run, monkeypatch: pytest.MonkeyPatch, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ENCRYPTION_KEY", new_key())
    monkeypatch.setenv("DATA_DIR", str(folder.parent))
    assert main(["keys", "seal", "--gallery", str(folder)]) == 0
    capsys.readouterr()
    assert json.loads(run("create", "--json"))["space"] == SPACE
    assert run("move").splitlines()[-1] == "all of it is there"
    assert run("check", "--compare").splitlines()[-1] == "all is well"
    monkeypatch.delenv("ENCRYPTION_KEY")
    assert "there is no key" in run("move", code=2)


def test_a_node_that_is_lost_is_told_and_the_others_are_asked(
    run: Run, peer: QdrantPeer, make_peer: Callable[..., QdrantPeer]
) -> None:
    run("move")
    lost = make_peer(nodes=3, also_at=peer)
    lost.fault = "503"
    said = run("check", code=1, server=f"{lost.url},{peer.url}")
    assert said.splitlines()[-1] == f"fault: {lost.url} does not answer"
    assert "all of it is there" in run("move", server=f"{lost.url},{peer.url}")


def test_a_server_is_moved_to_another(run: Run, peer: QdrantPeer, make_peer: Callable[..., QdrantPeer]) -> None:
    run("move")
    other = make_peer(nodes=3)
    assert "all of it is there" in run("move", "--from", peer.url, server=other.url)
    assert len(other.collections["facewire"].points) == 300
    assert "is there already" in run("move", "--from", peer.url, code=2)
    assert "no gallery to move" in run("move", "--from", peer.url, "--from-collection", "none", code=2)
    assert "is not the address of a server" in run("move", "--from", "old", code=2)


def test_without_a_server_it_is_said_how_to_name_one(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("QDRANT_URL", raising=False)
    assert main(["gallery", "cluster", "check", "--gallery", str(folder)]) == 2
    assert "--server http://node1:6333,http://node2:6333" in capsys.readouterr().err


def test_a_plan_is_reckoned(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["gallery", "cluster", "plan", "--people", "10000000", "--cameras", "1000", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["points"], said["demand"]["people"], said["shortages"]) == (30_000_000, 10_000_000, [])
    assert main(["gallery", "cluster", "plan", "--nodes", "3", "--node-memory-gb", "2"]) == 1
    assert "not enough: memory" in capsys.readouterr().out
    assert main(["gallery", "cluster", "plan", "--people", "many"]) == 2
    assert "--people many is not a whole number" in capsys.readouterr().err
