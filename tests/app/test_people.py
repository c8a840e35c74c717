from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from app import people
from app.flags import FlagParser
from checkpoints.errors import GalleryError
from pipeline.gallery.gallery import Picture
from pipeline.gallery.opening import open_gallery


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    gallery = open_gallery(tmp_path / "gallery", space="s", dim=4)
    gallery.add("Zoë", [Picture(np.eye(4, dtype=np.float32)[0], "z", 0.5)])
    gallery.add("Ann Lee", [Picture(np.eye(4, dtype=np.float32)[n], f"a{n}", 0.5) for n in (1, 2)])
    gallery.close()
    return tmp_path / "gallery"


def run(*words: str) -> int:
    parser = FlagParser(prog="facewire")
    people.add_parsers(parser.add_subparsers(required=True))
    args = parser.parse_args(["gallery", *words])
    code: int = args.command(args)
    return code


def test_everybody_is_listed_by_name(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("list", "--gallery", str(folder)) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["name", "Ann", "Zoë"]
    assert lines[1].startswith("Ann Lee         2  20")


def test_listing_makes_no_gallery(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("list", "--gallery", str(tmp_path / "none")) == 0
    assert capsys.readouterr().out == f"Nobody is enrolled in {tmp_path / 'none'}.\n"
    assert not (tmp_path / "none").exists()


def test_who_is_deleted_is_gone(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("delete", "Ann Lee", "--gallery", str(folder)) == 0
    assert capsys.readouterr().out == (
        "Ann Lee is forgotten; erased: 2 pictures with their embeddings, 0 cut-outs, 0 sightings, 0 events\n"
        "no file of events was named (EVENTS, --events), so none was looked through\n"
    )
    run("list", "--gallery", str(folder))
    assert "Ann" not in capsys.readouterr().out


def test_deleting_nobody_is_an_error_with_a_hint(folder: Path) -> None:
    with pytest.raises(GalleryError, match=r"did you mean Ann Lee\?"):
        run("delete", "Anne Lee", "--gallery", str(folder))
    with pytest.raises(GalleryError, match="no gallery yet"):
        run("delete", "Ann Lee", "--gallery", str(folder.parent / "none"))


def test_a_command_that_failed_does_not_hold_the_gallery(folder: Path) -> None:
    with pytest.raises(GalleryError):
        run("delete", "Nobody", "--gallery", str(folder))
    assert run("list", "--gallery", str(folder)) == 0
