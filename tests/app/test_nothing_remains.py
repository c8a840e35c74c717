"""After a person is deleted, every file of the program is searched for what there was of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from checkpoints.portrait import PATH as PORTRAIT
from checkpoints.portrait import portrait
from checkpoints.sealed import UNSEALED, Seal, keys_of, new_key
from pipeline.config import GalleryConfig
from pipeline.film import VideoWriter
from pipeline.gallery.opening import reopen_of
from pipeline.outlets.store import Store
from pipeline.outlets.stored import Wanted

FIRST, NAME, OTHER = "Zoë Quellwasser", "Zoë Q. Feldspat", "Bertram Other"


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    image_bgr = np.full((480, 640, 3), 90, np.uint8)
    image_bgr[60:460, 150:550] = cv2.resize(portrait(), (400, 400), interpolation=cv2.INTER_AREA)
    with closing(VideoWriter(tmp_path / "still.mp4", (640, 480), 25)) as writer:
        for index in range(60):
            writer.write(image_bgr, index / 25)
    return tmp_path / "still.mp4"


def remains_of(data: Path, seal: Seal) -> dict[str, bytes]:
    """What is kept of the person: to be searched for when it is gone."""
    found: dict[str, bytes] = {}
    for name in (FIRST, NAME):
        found[name] = name.encode()
        found[f"{name}, escaped"] = json.dumps(name)[1:-1].encode()
    with closing(reopen_of(GalleryConfig(data / "gallery", seal=seal))) as gallery:
        for kept in gallery.kept([NAME]):
            assert kept.picture.cutout is not None
            found[f"embedding {kept.id}"] = kept.picture.embedding.astype("<f4").tobytes()
            found[f"cut-out {kept.id}"] = kept.picture.cutout.jpeg
            found[f"hash {kept.id}"] = kept.picture.image_hash.encode()
            found[f"id {kept.id}"] = kept.id.encode()
    store = Store(data / "events", seal)
    for event in store.events(Wanted(), limit=1000):
        crop = store.crops.read(event.key)
        if crop is not None:
            found[f"crop of event {event.id}"] = crop
            found[f"file of event {event.id}"] = sha256(event.key.encode()).hexdigest()[:40].encode()
    return found


def held(data: Path) -> Iterator[tuple[Path, bytes]]:
    for path in sorted(data.rglob("*")):
        if path.is_file() and not {"models", "engines"} & set(path.relative_to(data).parts):
            yield path, path.read_bytes()


def found_in(data: Path, wanted: dict[str, bytes]) -> set[tuple[str, str]]:
    return {
        (what, str(path.relative_to(data)))
        for path, content in held(data)
        for what, secret in wanted.items()
        if secret in content or secret in str(path).encode()
    }


@pytest.mark.timeout(600)
@pytest.mark.parametrize("encrypted", [False, True])
def test_nothing_remains_of_a_deleted_person_in_any_file(
    program: Any, clip: Path, tmp_path: Path, encrypted: bool
) -> None:
    key = new_key()
    # The store of events runs where somebody is told of them.
    more = {"WEBHOOK_URL": "http://127.0.0.1:9/hook"} | ({"ENCRYPTION_KEY": key} if encrypted else {})
    seal = Seal(keys_of(key)) if encrypted else UNSEALED

    def run(*words: object) -> str:
        ended = program.run(*words, **more)
        assert ended.code == 0, ended.said
        return str(ended.said)

    play = ("--source", clip, "--realtime", 25)
    run(*play)
    (cluster,) = json.loads(run("unknowns", "list", "--json"))
    run("unknowns", "promote", cluster["cluster"], FIRST)
    run(*play)
    run("enroll", FIRST, PORTRAIT)
    run("gallery", "rename", FIRST, NAME)
    run(*play)

    wanted = remains_of(program.data, seal)
    assert sum("embedding" in what for what in wanted) >= 2 and sum("crop of" in what for what in wanted) >= 2
    before = found_in(program.data, wanted)
    if encrypted:
        assert {what for what, _ in before if "embedding" in what or "cut-out" in what or "crop" in what} == set()
    else:
        assert {what for what, _ in before} >= {what for what in wanted if "escaped" not in what}, "it can be found"
    assert {NAME, FIRST} <= {what for what, _ in before}, "events say names, encrypted or not"

    said = run("gallery", "delete", NAME)
    assert "is forgotten" in said
    assert found_in(program.data, wanted) == set()
    (last,) = json.loads(run("audit", "--json"))[-1:]
    assert last["action"] == "deleted" and last["events"] > 0
    run("gallery", "list")


@pytest.mark.timeout(300)
def test_what_is_too_old_is_in_no_file_any_more(program: Any, clip: Path) -> None:
    """Retention of a day that is long over, by the clock of the files."""
    more = {"WEBHOOK_URL": "http://127.0.0.1:9/hook"}
    assert program.run("--source", clip, "--realtime", 25, **more).code == 0
    assert list((program.data / "gallery" / "unknowns" / "cutouts").glob("*.jpg"))
    ended = program.run("--source", clip, "--realtime", 25, "--frames", 1, UNKNOWN_RETENTION_DAYS="0", **more)
    assert ended.code == 0, ended.said
    assert not (program.data / "gallery" / "unknowns").exists()
