"""What only the gallery on disk can do: last, be locked, be damaged, be killed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from checkpoints.errors import GalleryError, GalleryLocked
from pipeline.gallery.folder import open_edge, reopen_edge
from pipeline.gallery.gallery import Cutout, Picture
from pipeline.gallery.opening import gallery_exists

SPACE = "sface@sha256:aa"
OTHER = "facenet@sha256:bb"

# Enrols for ever, three pictures at a time, and says so after each; or holds the gallery until told to stop.
CHILD = """
import sys, numpy as np
from pathlib import Path
from pipeline.gallery.folder import open_edge
from pipeline.gallery.gallery import Cutout, Picture
path, task = Path(sys.argv[1]), sys.argv[2]
gallery = open_edge(path, space="sface@sha256:aa", dim=64)
print("open", flush=True)
if task == "hold":
    sys.stdin.read()
    gallery.close()
random = np.random.default_rng(len(gallery.people()))
number = len(gallery.people())
while task == "enrol":
    name = f"person {number:05}"
    cutout = Cutout(name.encode(), np.zeros((5, 2), np.float32))
    vectors = random.normal(size=(3, 64)).astype(np.float32)
    gallery.add(name, [Picture(vector, f"{number}-{n}", 0.5, cutout) for n, vector in enumerate(vectors)])
    print(name, flush=True)
    number += 1
"""


def vector(seed: int, dim: int = 64) -> NDArray[np.float32]:
    return np.random.default_rng(seed).normal(size=dim).astype(np.float32)


def child(path: Path, task: str, *more: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", CHILD, str(path), task, *more]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
    assert process.stdout is not None
    assert process.stdout.readline() == "open\n"
    return process


def end(process: subprocess.Popen[str]) -> None:
    process.communicate()
    process.wait()


def filled(path: Path, space: str = SPACE, dim: int = 64) -> None:
    gallery = open_edge(path, space=space, dim=dim)
    gallery.add("Ann", [Picture(vector(1, dim), "a", 0.9)])
    gallery.close()


def test_it_lasts(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "gallery"
    assert not gallery_exists(path)
    filled(path)
    assert gallery_exists(path)
    again = open_edge(path, space=SPACE, dim=64)
    assert [(person.name, person.pictures) for person in again.people()] == [("Ann", 1)]
    assert again.search(vector(1)[None])[0][0].score == 1
    assert again.delete("Ann") == 1
    again.close()
    final = reopen_edge(path)
    assert final.people() == []
    final.close()


def test_points_carry_what_the_design_says(tmp_path: Path) -> None:
    import qdrant_edge as qdrant

    filled(tmp_path)
    shard = qdrant.EdgeShard.load(str(tmp_path / "shard"))
    ((point,), _) = shard.scroll(qdrant.ScrollRequest(limit=10, with_payload=True))
    shard.close()
    payload = point.payload or {}
    assert set(payload) == {"person", "image_hash", "quality", "time", "embedding_space"}
    assert (payload["person"], payload["quality"], payload["embedding_space"]) == ("Ann", 0.9, SPACE)
    assert len(str(point.id)) == 36


def test_another_space_is_refused_by_name(tmp_path: Path) -> None:
    filled(tmp_path)
    for dim in (64, 512):
        with pytest.raises(GalleryError) as caught:
            open_edge(tmp_path, space=OTHER, dim=dim)
        assert SPACE in str(caught.value)
        assert OTHER in str(caught.value)
        assert "--gallery" in str(caught.value)
    open_edge(tmp_path, space=SPACE, dim=64).close()


def test_an_empty_gallery_takes_a_new_space(tmp_path: Path) -> None:
    filled(tmp_path)
    gallery = reopen_edge(tmp_path)
    assert gallery.space == SPACE
    gallery.delete("Ann")
    gallery.close()
    filled(tmp_path, space=OTHER, dim=512)
    gallery = reopen_edge(tmp_path)
    assert gallery.space == OTHER
    gallery.close()


def test_there_is_nothing_to_reopen(tmp_path: Path) -> None:
    with pytest.raises(GalleryError, match="no gallery yet"):
        reopen_edge(tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_who_holds_it_is_named(tmp_path: Path) -> None:
    process = child(tmp_path, "hold", "--source", "rtsp://me:s3cret@host/1")
    with pytest.raises(GalleryLocked) as caught:
        open_edge(tmp_path, space=SPACE, dim=64)
    text = str(caught.value)
    assert f"process {process.pid} (-c " in text
    assert "since 20" in text
    assert "s3cret" not in text + (tmp_path / "lock").read_text(encoding="utf-8")
    end(process)
    open_edge(tmp_path, space=SPACE, dim=64).close()


def test_the_same_process_cannot_open_it_twice(tmp_path: Path) -> None:
    gallery = open_edge(tmp_path, space=SPACE, dim=64)
    with pytest.raises(GalleryLocked, match=str(os.getpid())):
        reopen_edge(tmp_path)
    gallery.close()
    gallery.close()


def test_a_refusal_does_not_keep_the_lock(tmp_path: Path) -> None:
    filled(tmp_path)
    with pytest.raises(GalleryError):
        open_edge(tmp_path, space=OTHER, dim=64)
    assert json.loads((tmp_path / "lock").read_text(encoding="utf-8") or "null") is None
    open_edge(tmp_path, space=SPACE, dim=64).close()


def test_a_killed_holder_frees_it(tmp_path: Path) -> None:
    process = child(tmp_path, "hold")
    process.kill()
    end(process)
    open_edge(tmp_path, space=SPACE, dim=64).close()


def test_nothing_that_was_confirmed_is_lost_when_the_writer_is_killed_twenty_times(tmp_path: Path) -> None:
    """The child says the name when the pictures are stored; the kill comes while it goes on writing."""
    random = np.random.default_rng(5)
    there = 0
    for _ in range(20):
        process = child(tmp_path, "enrol")
        assert process.stdout is not None
        reported = there + int(random.integers(1, 12))
        for _ in range(reported - there):
            process.stdout.readline()
        process.send_signal(signal.SIGKILL)
        rest, _ = process.communicate()
        reported += rest.count("\n")
        gallery = open_edge(tmp_path, space=SPACE, dim=64)
        people = gallery.people()
        there = len(people)
        assert reported <= there <= reported + 1
        assert [person.name for person in people] == [f"person {n:05}" for n in range(there)]
        assert {person.pictures for person in people} == {3}
        cutouts = [kept.picture.cutout for kept in gallery.kept([people[-1].name])]
        assert [cutout.jpeg for cutout in cutouts if cutout] == [people[-1].name.encode()] * 3
        assert not (tmp_path / "cutouts" / "unswept").exists()
        gallery.close()
    assert len(list((tmp_path / "cutouts").glob("*.jpg"))) == 3 * there


def test_a_gallery_that_was_half_made_is_made_again(tmp_path: Path) -> None:
    (tmp_path / "making" / "segments").mkdir(parents=True)
    (tmp_path / "making" / "space.json").write_text("{", encoding="utf-8")
    filled(tmp_path)
    assert reopen_people(tmp_path) == ["Ann"]


def reopen_people(path: Path) -> list[str]:
    gallery = reopen_edge(path)
    names = [person.name for person in gallery.people()]
    gallery.close()
    return names


@pytest.mark.parametrize("damage", ["space.json", "segments", "edge_config.json", "every file"])
def test_a_damaged_gallery_is_a_clear_error(tmp_path: Path, damage: str) -> None:
    filled(tmp_path)
    home = tmp_path / "shard"
    if damage == "segments":
        shutil.rmtree(home / "segments")
        (home / "segments").write_text("not a folder", encoding="utf-8")
    else:
        for file in sorted(home.rglob("*")) if damage == "every file" else [home / damage]:
            if file.is_file():
                file.write_bytes(b"\x00garbage")
    with pytest.raises(GalleryError, match="cannot be read"):
        open_edge(tmp_path, space=SPACE, dim=64)


def test_a_file_where_the_folder_should_be(tmp_path: Path) -> None:
    (tmp_path / "gallery").write_text("x", encoding="utf-8")
    with pytest.raises(GalleryError, match="folder cannot be made"):
        open_edge(tmp_path / "gallery", space=SPACE, dim=64)


def test_cutouts_of_erased_pictures_are_erased(tmp_path: Path) -> None:
    gallery = open_edge(tmp_path, space=SPACE, dim=64)
    cutout = Cutout(b"jpeg", np.zeros((5, 2), np.float32))
    gallery.add("Ann", [Picture(vector(n), f"{n}", 0.5, cutout) for n in range(3)])
    files = tmp_path / "cutouts"
    assert len(list(files.glob("*.jpg"))) == 3
    gallery.remove([next(gallery.kept()).id])
    assert len(list(files.glob("*.jpg"))) == 2
    gallery.delete("Ann")
    assert list(files.iterdir()) == []
    gallery.close()


def test_a_cutout_that_nobody_knows_of_is_swept_away(tmp_path: Path) -> None:
    """A crash between the file and the write-ahead log leaves it."""
    gallery = open_edge(tmp_path, space=SPACE, dim=64)
    gallery.add("Ann", [Picture(vector(1), "a", 0.5, Cutout(b"jpeg", np.zeros((5, 2), np.float32)))])
    gallery.close()
    orphan = tmp_path / "cutouts" / "00000000-0000-4000-8000-000000000000.jpg"
    orphan.write_bytes(b"jpeg")
    (tmp_path / "cutouts" / "unswept").touch()
    gallery = open_edge(tmp_path, space=SPACE, dim=64)
    assert not orphan.exists()
    assert next(gallery.kept()).picture.cutout is not None
    gallery.close()


def test_a_cutout_that_is_lost_is_no_cutout(tmp_path: Path) -> None:
    gallery = open_edge(tmp_path, space=SPACE, dim=64)
    gallery.add("Ann", [Picture(vector(1), "a", 0.5, Cutout(b"jpeg", np.zeros((5, 2), np.float32)))])
    next((tmp_path / "cutouts").glob("*.jpg")).unlink()
    assert next(gallery.kept()).picture.cutout is None
    assert gallery.delete("Ann") == 1
    gallery.close()


def said(path: Path) -> dict[str, object]:
    return dict(json.loads((path / "shard" / "space.json").read_text(encoding="utf-8")))


def test_a_gallery_of_the_first_version_opens_and_becomes_one_of_this(tmp_path: Path) -> None:
    filled(tmp_path)
    (tmp_path / "shard" / "space.json").write_text(json.dumps({"space": SPACE, "dim": 64}), encoding="utf-8")
    gallery = open_edge(tmp_path, space=SPACE, dim=64)
    assert gallery.add(None, [Picture(vector(2), "s", 0.5)]) == 1
    assert [person.name for person in gallery.people()] == ["Ann"]
    gallery.close()
    assert said(tmp_path) == {"version": 2, "space": SPACE, "dim": 64}


def test_a_gallery_written_by_a_newer_version_is_refused(tmp_path: Path) -> None:
    filled(tmp_path)
    text = json.dumps({"version": 3, "space": SPACE, "dim": 64, "more": 1})
    (tmp_path / "shard" / "space.json").write_text(text, encoding="utf-8")
    for opening in (lambda: open_edge(tmp_path, space=SPACE, dim=64), lambda: reopen_edge(tmp_path)):
        with pytest.raises(GalleryError, match="written by a newer version"):
            opening()
    assert (tmp_path / "shard" / "space.json").read_text(encoding="utf-8") == text


def test_little_room_is_told_before_anything_is_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gallery = open_edge(tmp_path, space=SPACE, dim=64)
    gallery.add("Ann", [Picture(vector(1), "a", 0.9)])
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr("pipeline.gallery.room.shutil.disk_usage", lambda path: usage._replace(free=1 << 20))
    for change in (
        lambda: gallery.add("Bob", [Picture(vector(2), "b", 0.5)]),
        lambda: gallery.rename("Ann", "Zoë"),
        lambda: gallery.optimize(),
    ):
        with pytest.raises(GalleryError, match="too full"):
            change()
    assert gallery.delete("Ann") == 1  # who must be forgotten is forgotten all the same
    gallery.close()


def test_a_disk_that_is_full_loses_nothing(tmp_path: Path) -> None:
    """A real one, of 128 MiB, filled to the end."""
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=128m", "tmpfs", str(tmp_path)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("only root can mount a small disk")
    try:
        gallery = open_edge(tmp_path / "gallery", space=SPACE, dim=64)
        (tmp_path / "ballast").write_bytes(bytes(20 << 20))
        stored = 0
        cutout = Cutout(bytes(10_000), np.zeros((5, 2), np.float32))
        refused = ""
        while not refused:
            pictures = [Picture(vector(stored + n), f"{stored + n}", 0.5, cutout) for n in range(60)]
            try:
                stored += gallery.add("Ann", pictures)
            except GalleryError as error:
                refused = str(error)
        assert "too full" in refused
        assert gallery.count() == stored > 0
        gallery.close()
        gallery = open_edge(tmp_path / "gallery", space=SPACE, dim=64)
        assert sum(kept.picture.cutout is not None for kept in gallery.kept()) == stored
        gallery.close()
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)


def test_a_large_gallery_is_searched_by_its_index_and_finds_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.gallery.embedded.INDEXED_FROM", 6000)
    random = np.random.default_rng(1)
    gallery = open_edge(tmp_path, space=SPACE, dim=512)
    vectors = random.normal(size=(6000, 512)).astype(np.float32)
    for start in range(0, 6000, 500):
        pictures = [Picture(vectors[n], f"{n}", 0.5) for n in range(start, start + 500)]
        gallery.add(f"person {start // 500:02}", pictures)
    asked = vectors[::500] + 0.5 * random.normal(size=(12, 512)).astype(np.float32)
    exact = gallery.search(asked, limit=1)
    assert gallery.optimize()
    assert gallery.search(asked, limit=1) == exact
    assert gallery.add("new", [Picture(asked[0], "new", 0.5)]) == 1
    assert gallery.search(asked[:1], limit=1)[0][0].name == "new"
    gallery.close()
