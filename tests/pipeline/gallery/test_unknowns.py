from __future__ import annotations

import json
import multiprocessing
import os
import signal
from multiprocessing.connection import Connection
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest
from numpy.typing import NDArray

from checkpoints.errors import GalleryError
from pipeline.gallery import unknowns
from pipeline.gallery.gallery import Cutout
from pipeline.gallery.sightings import Sighting, Sightings
from pipeline.gallery.unknown_file import UnknownFile
from pipeline.gallery.unknowns import FACES_OF_CLUSTER, Shot, Unknowns

SPACE = "s"
DAY = "2026-01-0{}T12:00:00.000Z"
SPAWN = multiprocessing.get_context("spawn")


def towards(axis: int, other: int = 7, lean: float = 0.0) -> NDArray[np.float32]:
    vector = np.zeros(8, np.float32)
    vector[axis], vector[other] = 1, lean
    return (vector / np.linalg.norm(vector)).astype(np.float32)


def shot(embedding: NDArray[np.float32], day: int = 1, quality: float = 0.8) -> Shot:
    cutout = Cutout(b"jpeg", np.zeros((5, 2), np.float32))
    return Shot(embedding, DAY.format(day), quality, cutout)


def seen(camera: str = "door", day: int = 1) -> Sighting:
    time = DAY.format(day)
    return Sighting(str(uuid4()), "", camera, f"{camera}/1/1", time, time)


def keep(store: Unknowns, *embeddings: NDArray[np.float32], camera: str = "door", day: int = 1) -> str:
    return store.keep(seen(camera, day), [shot(one, day) for one in embeddings], SPACE)


@pytest.fixture
def store(tmp_path: Path) -> Unknowns:
    return Unknowns(tmp_path, near=0.8)


def test_one_face_on_two_cameras_and_days_is_one_cluster_and_another_is_another(store: Unknowns) -> None:
    first = keep(store, towards(0), camera="door", day=1)
    assert keep(store, towards(0, lean=0.3), camera="yard", day=3) == first
    other = keep(store, towards(1), day=2)
    assert other != first
    clusters = store.clusters()
    assert [cluster.id for cluster in clusters] == [first, other]  # the last seen comes first
    assert clusters[0].cameras == ["door", "yard"]
    assert (clusters[0].first, clusters[0].last) == (DAY.format(1), DAY.format(3))
    assert [one.camera for one in clusters[0].sightings] == ["door", "yard"]


def test_a_face_that_is_near_to_two_clusters_makes_them_one(store: Unknowns) -> None:
    one, two = keep(store, towards(0)), keep(store, towards(1))
    between = ((towards(0) + towards(1)) / 2**0.5).astype(np.float32)
    store = Unknowns(store._folder.parent, near=0.6)
    joined = keep(store, between)
    assert joined in (one, two)
    (cluster,) = store.clusters()
    assert (len(cluster.faces), len(cluster.sightings)) == (3, 3)
    (again,) = Unknowns(store._folder.parent).clusters()  # from the file
    assert (again.id, len(again.faces), len(again.sightings)) == (joined, 3, 3)


def test_more_of_the_same_sighting_stays_with_it_whatever_it_looks_like(store: Unknowns) -> None:
    sighting = seen()
    first = store.keep(sighting, [shot(towards(0))], SPACE)
    assert store.keep(sighting, [shot(towards(1), day=2)], SPACE) == first
    (cluster,) = store.clusters()
    assert (len(cluster.faces), len(cluster.sightings)) == (2, 1)


def test_embeddings_of_another_space_are_nobody_s(store: Unknowns) -> None:
    first = keep(store, towards(0))
    assert store.keep(seen(), [Shot(towards(0), DAY.format(1), 0.5, None)], "another") != first


def test_a_cluster_keeps_its_best_faces_only(store: Unknowns, tmp_path: Path) -> None:
    for number in range(FACES_OF_CLUSTER + 5):
        store.keep(seen(), [shot(towards(0), quality=0.5 + number / 100)], SPACE)
    (cluster,) = store.clusters()
    assert len(cluster.faces) == FACES_OF_CLUSTER
    assert cluster.faces[-1].quality == pytest.approx(0.55)
    assert len(cluster.sightings) == FACES_OF_CLUSTER + 5
    assert len(list((tmp_path / "unknowns/cutouts").iterdir())) == FACES_OF_CLUSTER


def test_the_store_is_bounded_and_the_oldest_go(store: Unknowns, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unknowns, "MOST_FACES", 20)
    for number in range(30):
        embedding = np.random.default_rng(number).normal(size=8).astype(np.float32)
        store.keep(
            seen(day=1 + number % 9),
            [shot(embedding / np.linalg.norm(embedding), 1 + number // 5)],
            "alone" + str(number),
        )
    kept = [face.time for cluster in store.clusters() for face in cluster.faces]
    assert len(kept) <= 20
    assert min(kept) > DAY.format(1)


def test_what_is_old_goes_and_what_is_new_stays(
    store: Unknowns, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    keep(store, towards(0), day=1)
    new = keep(store, towards(1), day=5)
    monkeypatch.setattr(unknowns, "_days_ago", lambda days: DAY.format(3))
    assert store.expire(30) == 1
    assert [cluster.id for cluster in store.clusters()] == [new]
    assert len(Sightings(tmp_path).all()) == 1
    assert len(list((tmp_path / "unknowns/cutouts").iterdir())) == 1
    assert store.expire(30) == 0


def test_days_are_counted_back_from_now() -> None:
    assert unknowns._days_ago(1.5, lambda: "2026-03-01T12:00:00.000Z") == "2026-02-28T00:00:00.000Z"


def test_no_days_erase_everything_but_what_has_a_name(store: Unknowns, tmp_path: Path) -> None:
    ann = keep(store, towards(0))
    keep(store, towards(1))
    store.promoted(ann, "Ann")
    assert store.expire(0) == 1
    assert store.clusters() == []
    assert not (tmp_path / "unknowns").exists()
    assert [one.name for one in Sightings(tmp_path).all()] == ["Ann"]


def test_what_is_promoted_is_no_longer_unknown_and_its_past_has_the_name(store: Unknowns, tmp_path: Path) -> None:
    ann, other = keep(store, towards(0)), keep(store, towards(1))
    keep(store, towards(0), camera="yard", day=2)
    pictures = store.pictures(store.cluster(ann))
    assert {one.source for one in pictures} == {"door/1/1", "yard/1/1"}
    assert all(one.cutout is not None and one.cutout.jpeg == b"jpeg" for one in pictures)
    assert store.promoted(ann, "Ann") == 2
    assert [cluster.id for cluster in store.clusters()] == [other]
    assert [one.camera for one in Sightings(tmp_path).of("Ann")] == ["door", "yard"]


def test_what_is_deleted_is_nowhere_in_the_files(store: Unknowns, tmp_path: Path) -> None:
    gone, stays = keep(store, towards(0), towards(0, lean=0.1)), keep(store, towards(1))
    (face, _) = store.cluster(gone).faces
    assert store.delete(gone) == (2, 1)
    assert [cluster.id for cluster in store.clusters()] == [stays]
    text = (tmp_path / "unknowns/faces.jsonl").read_text() + (tmp_path / "sightings.jsonl").read_text()
    assert gone not in text and face.id not in text
    assert len(list((tmp_path / "unknowns/cutouts").iterdir())) == 1
    with pytest.raises(GalleryError, match="unknowns list"):
        store.cluster(gone)


def test_who_turns_out_to_be_known_was_never_unknown(store: Unknowns, tmp_path: Path) -> None:
    sighting = seen()
    store.keep(sighting, [shot(towards(0))], SPACE)
    store.forget(sighting.id)
    assert store.clusters() == []
    assert Sightings(tmp_path).all() == []


def test_the_holder_notices_what_a_command_erases(store: Unknowns, tmp_path: Path) -> None:
    first = keep(store, towards(0))
    assert Unknowns(tmp_path).delete(first) == (1, 1)
    again = keep(store, towards(0), day=2)
    assert again != first
    (cluster,) = Unknowns(tmp_path).clusters()
    assert (cluster.id, len(cluster.faces)) == (again, 1)


def test_damaged_lines_cost_only_themselves(store: Unknowns, tmp_path: Path) -> None:
    keep(store, towards(0))
    with (tmp_path / "unknowns/faces.jsonl").open("ab") as file:
        file.write(b'{"id": "x"}\n[1]\nnonsense\n' + json.dumps({"id": "y", "embedding": "%%"}).encode() + b'\n{"id')
    again = Unknowns(tmp_path, near=0.8)
    assert len(again.clusters()) == 1
    keep(again, towards(1))
    assert len(Unknowns(tmp_path).clusters()) == 2


def test_cut_outs_that_a_crash_has_left_are_swept(store: Unknowns, tmp_path: Path) -> None:
    keep(store, towards(0), day=9)
    (tmp_path / "unknowns/cutouts/left.jpg").write_bytes(b"x")
    store.expire(36500)
    assert len(list((tmp_path / "unknowns/cutouts").iterdir())) == 1


def test_a_file_that_is_mostly_past_is_written_anew(store: Unknowns, tmp_path: Path) -> None:
    file = UnknownFile(tmp_path / "unknowns")
    for number in range(40):
        store.keep(seen(), [shot(towards(0), quality=0.5 + number / 100)], SPACE)
    before = (tmp_path / "unknowns/faces.jsonl").stat().st_size
    store.expire(36500)
    assert (tmp_path / "unknowns/faces.jsonl").stat().st_size < before / 2
    file.refresh()
    assert len(file.faces) == FACES_OF_CLUSTER


def _keep_until_killed(folder: Path, said: Connection) -> None:
    store = Unknowns(folder, near=0.99)
    for number in range(1000):
        embedding = np.random.default_rng(number).normal(size=8).astype(np.float32)
        said.send(store.keep(seen(), [shot(embedding / np.linalg.norm(embedding))], SPACE))


def test_what_was_reported_as_kept_is_there_after_a_kill(tmp_path: Path) -> None:
    here, there = SPAWN.Pipe(duplex=False)
    process = SPAWN.Process(target=_keep_until_killed, args=(tmp_path, there))
    process.start()
    there.close()
    reported = [here.recv() for _ in range(25)]
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    while True:
        try:
            reported.append(here.recv())
        except (EOFError, OSError):
            break
    here.close()
    process.close()
    clusters = {cluster.id: cluster for cluster in Unknowns(tmp_path).clusters()}
    assert set(reported) <= clusters.keys()
    assert all(clusters[one].sightings and clusters[one].faces for one in reported)
