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
from pipeline.gallery.folder import gallery_exists, open_edge, reopen_edge
from pipeline.gallery.gallery import Picture

SPACE = "sface@sha256:aa"
OTHER = "facenet@sha256:bb"

# Enrols for ever, three pictures at a time, and says so after each; or holds the gallery until told to stop.
CHILD = """
import sys, numpy as np
from pathlib import Path
from pipeline.gallery.folder import open_edge
from pipeline.gallery.gallery import Picture
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
    gallery.add(name, [Picture(random.normal(size=64).astype(np.float32), f"{number}-{n}", 0.5) for n in range(3)])
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


def test_nothing_that_was_confirmed_is_lost_when_the_writer_is_killed(tmp_path: Path) -> None:
    confirmed = 0
    for round_number in range(4):
        process = child(tmp_path, "enrol")
        assert process.stdout is not None
        for _ in range(10 + 7 * round_number):
            process.stdout.readline()
        process.send_signal(signal.SIGKILL)  # while it goes on writing
        rest, _ = process.communicate()
        confirmed += 10 + 7 * round_number + rest.count("\n")
        gallery = open_edge(tmp_path, space=SPACE, dim=64)
        people = gallery.people()
        assert confirmed <= len(people) <= confirmed + 1
        assert {person.pictures for person in people} == {3}
        assert people[-1].name == f"person {len(people) - 1:05}"
        assert len(gallery.search(vector(0)[None], limit=len(people))[0]) == len(people)
        confirmed = len(people)
        gallery.close()


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
