"""Encryption is turned on, keys are replaced, and nothing of anybody stays readable without them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.commands import main
from checkpoints.sealed import UNSEALED, Seal
from engines.models import embedder_model
from engines.options import EngineOptions
from pipeline.clock import utc_iso
from pipeline.config import GalleryConfig
from pipeline.gallery.gallery import Cutout, Picture
from pipeline.gallery.lock import Lock
from pipeline.gallery.opening import gallery_of, open_gallery
from pipeline.gallery.sightings import Sighting, Sightings
from pipeline.gallery.unknowns import Shot, Unknowns
from pipeline.outlets.crops import Crops

KNOWN = embedder_model(EngineOptions()).known
SPACE, DIM = KNOWN.embedding_space, KNOWN.embedding_dim or 0
JPEG = b"\xff\xd8\xff\xe0 a face"


def unit(place: int) -> Any:
    row = np.random.default_rng(place).normal(size=DIM).astype(np.float32)
    return row / np.linalg.norm(row)


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """As the program leaves it behind without a key."""
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    gallery = open_gallery(tmp_path / "gallery", space=SPACE, dim=DIM)
    for place, name in enumerate(("Ada Lovelace", "Grace Hopper")):
        gallery.add(name, [Picture(unit(place), f"h{place}", 0.5, Cutout(JPEG, np.zeros((5, 2), np.float32)), "a.jpg")])
    gallery.close()
    unknowns = Unknowns(tmp_path / "gallery", near=0.5)
    shot = Shot(unit(9), utc_iso(), 0.5, Cutout(JPEG, np.zeros((5, 2), np.float32)))
    unknowns.keep(Sighting("s1", "", "door", "door/1/2", utc_iso(), utc_iso()), [shot], SPACE)
    unknowns.close()
    Sightings(tmp_path / "gallery").tell(Sighting("s2", "u", "door", "door/3/4", utc_iso(), utc_iso(), "Ada Lovelace"))
    Crops(tmp_path / "events" / "crops").write("door/1/2@now", JPEG)
    assert main(["gallery", "rename", "Grace Hopper", "Grace M. Hopper"]) == 0
    return tmp_path


def readable(data: Path) -> set[str]:
    """What of the people can be read in some file."""
    held = b"".join(file.read_bytes() for file in data.rglob("*") if file.is_file())
    wanted = {"Ada": b"Ada Lovelace", "Grace": b"Grace", "jpeg": JPEG, "row": unit(0).tobytes(), "unknown": b"door/1/2"}
    return {name for name, secret in wanted.items() if secret in held}


def key_file(data: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = data.parent / f"{data.name}.key"
    path.unlink(missing_ok=True)
    assert main(["keys", "make", str(path)]) == 0
    monkeypatch.setenv("ENCRYPTION_KEY_FILE", str(path))
    return path


def seal_of(path: Path) -> Seal:
    from app.sealing import read_keys

    return Seal(read_keys(path))


def check_all_is_there(data: Path, seal: Seal) -> None:
    gallery = gallery_of(GalleryConfig(data / "gallery", seal=seal), space=SPACE, dim=DIM)
    kept = {one.name: one.picture for one in gallery.kept()}
    gallery.close()
    assert kept.keys() == {"Ada Lovelace", "Grace M. Hopper"}
    assert all(one.cutout is not None and one.cutout.jpeg == JPEG for one in kept.values())
    assert kept["Ada Lovelace"].embedding == pytest.approx(unit(0), abs=1e-6)
    unknowns = Unknowns(data / "gallery", seal=seal)
    (cluster,) = unknowns.clusters()
    (picture,) = unknowns.pictures(cluster)
    assert picture.cutout is not None and picture.cutout.jpeg == JPEG
    assert len(Sightings(data / "gallery", seal).of("Ada Lovelace")) == 1
    assert Crops(data / "events" / "crops", seal).read("door/1/2@now") == JPEG


def test_without_a_key_all_can_be_read(data: Path) -> None:
    assert readable(data) == {"Ada", "Grace", "jpeg", "row", "unknown"}
    check_all_is_there(data, UNSEALED)


def test_after_sealing_nothing_can_be_read_and_everything_is_there(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = key_file(data, monkeypatch)
    assert path.stat().st_mode & 0o077 == 0
    assert main(["gallery", "list"]) == 2, "with a key, what is not encrypted is not gone on with"
    assert main(["keys", "seal"]) == 0
    assert readable(data) == set()
    check_all_is_there(data, seal_of(path))
    assert main(["keys", "seal"]) == 0
    check_all_is_there(data, seal_of(path))


def test_a_rotation_leaves_nothing_under_the_old_key(
    data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = key_file(data, monkeypatch)
    main(["keys", "seal"])
    first = path.read_text()
    assert main(["keys", "rotate"]) == 0
    assert path.stat().st_mode & 0o077 == 0
    newest, older = path.read_text().split()
    assert older == first.strip() != newest
    assert newest not in (said := capsys.readouterr().out) and older not in said
    path.write_text(newest + "\n")
    check_all_is_there(data, seal_of(path))
    assert main(["audit", "--json"]) == 0
    assert [one["action"] for one in json.loads(capsys.readouterr().out)] == ["renamed", "sealed", "rotated"]
    path.write_text(first)
    assert main(["gallery", "list"]) == 2
    assert main(["unknowns", "list"]) == 2
    assert main(["audit"]) == 2
    assert "The encryption key is another one." in capsys.readouterr().err
    path.write_text(newest)
    check_all_is_there(data, seal_of(path))


def test_a_missing_key_is_told_and_loses_nothing(
    data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = key_file(data, monkeypatch)
    main(["keys", "seal"])
    monkeypatch.delenv("ENCRYPTION_KEY_FILE")
    before = {file: file.read_bytes() for file in data.rglob("*") if file.is_file() and file.name != "lock"}
    for words in (
        ["gallery", "list"],
        ["gallery", "delete", "Ada Lovelace"],
        ["unknowns", "list"],
        ["gallery", "purge"],
    ):
        assert main(words) == 2
        assert "there is no key" in capsys.readouterr().err
    assert {file: file.read_bytes() for file in data.rglob("*") if file.is_file() and file.name != "lock"} == before
    check_all_is_there(data, seal_of(path))


def test_a_sealing_that_was_cut_short_is_finished(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = key_file(data, monkeypatch)

    def cut_short(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("pipeline.gallery.sealed_gallery.SealedGallery.reseal", cut_short)
        assert main(["keys", "seal"]) == 130
    check_all_is_there(data, seal_of(path))
    assert main(["keys", "seal"]) == 0
    assert readable(data) == set()
    check_all_is_there(data, seal_of(path))


@pytest.mark.parametrize("verb", ["seal", "rotate"])
def test_while_the_program_runs_no_key_is_changed(
    data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], verb: str
) -> None:
    path = key_file(data, monkeypatch)
    key = path.read_text()
    for lock in (data / "events" / "lock", data / "gallery" / "lock"):
        with Lock(lock):
            assert main(["keys", verb]) == 2
        assert "by another process" in capsys.readouterr().err
    assert path.read_text() == key, "each further try would leave another key in front"
    assert readable(data) == {"Ada", "Grace", "jpeg", "row", "unknown"}


def test_a_key_goes_nowhere_but_into_a_folder_that_may_be_written_to(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["keys", "make", str(tmp_path / "none" / "key")]) == 2
    assert "in a folder that you may write to" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["", "short\n", "ä" * 44])
def test_a_file_that_holds_no_key_is_refused_and_not_shown(
    data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    path = data / "key"
    path.write_text(text)
    monkeypatch.setenv("ENCRYPTION_KEY_FILE", str(path))
    assert main(["gallery", "list"]) == 2
    said = capsys.readouterr().err
    assert "key cannot be used" in said
    assert not text or text.strip() not in said


def test_a_key_file_that_there_is_is_not_written_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "key"
    path.write_text("precious")
    assert main(["keys", "make", str(path)]) == 2
    assert path.read_text() == "precious"
    assert main(["keys", "make"]) == 0
    assert len(capsys.readouterr().out.strip()) == 44


def test_a_key_that_is_wrong_is_never_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ENCRYPTION_KEY", "c2VjcmV0c2VjcmV0")
    assert main(["gallery", "list"]) == 2
    said = capsys.readouterr().err
    assert "ENCRYPTION_KEY" in said and "12 bytes instead of 32" in said
    assert "c2VjcmV0" not in said
