from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from app.archive.sources import absolute, find, opened, sha256_of
from checkpoints.errors import ArchiveError


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    for name in ("garage/1.mp4", "garage/day/2.MKV", "b c.mov", "notes.txt", ".hidden.mp4"):
        path = tmp_path / "all" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    return tmp_path / "all"


def test_every_video_below_a_folder_is_meant_once(archive: Path) -> None:
    files = find([str(archive), str(archive / "garage")]).files
    assert [Path(one.place).relative_to(archive).as_posix() for one in files] == [
        "b c.mov",
        "garage/1.mp4",
        "garage/day/2.MKV",
    ]
    assert files[0].size == len("b c.mov")
    assert files[0].mtime_ns == (archive / "b c.mov").stat().st_mtime_ns


def test_the_folder_that_was_asked_for_is_part_of_the_name(archive: Path) -> None:
    assert {one.within for one in find([str(archive)]).files} == {
        "all/b c.mov",
        "all/garage/1.mp4",
        "all/garage/day/2.MKV",
    }
    assert find([str(archive / "notes.txt")]).files[0].within == "all/notes.txt"  # a file that is named is meant


def test_all_places_without_recordings_are_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(ArchiveError) as caught:
        find([str(tmp_path / "empty"), str(tmp_path / "none")])
    assert len((caught.value.saw or "").splitlines()) == 2


def test_a_folder_that_cannot_be_read_is_told_and_the_others_are_found(
    archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed, scandir = str(archive / "garage" / "day"), os.scandir

    def refusing(path: str) -> object:  # permissions do not stop root
        if str(path) == closed:
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    found = find([str(archive)])
    assert [Path(one.place).name for one in found.files] == ["b c.mov", "1.mp4"]
    assert found.unread == {closed: "Permission denied"}
    with pytest.raises(ArchiveError, match="Permission denied"):
        find([closed])


def test_links_to_files_are_followed_and_those_to_nowhere_are_told(archive: Path, tmp_path: Path) -> None:
    (archive / "again.mp4").symlink_to(archive / "b c.mov")
    (archive / "lost.mp4").symlink_to(tmp_path / "gone.mp4")
    (archive / "round").symlink_to(archive, target_is_directory=True)
    (tmp_path / "elsewhere").symlink_to(archive, target_is_directory=True)
    found = find([str(archive)])
    assert [Path(one.place).name for one in found.files] == ["again.mp4", "b c.mov", "1.mp4", "2.MKV"]
    assert found.unread == {str(archive / "lost.mp4"): "No such file or directory"}
    assert len(find([str(tmp_path / "elsewhere")]).files) == 4


def test_a_file_here_is_opened_by_its_name(archive: Path) -> None:
    with opened(str(archive / "b c.mov")) as content:
        assert content is None
    assert sha256_of(str(archive / "b c.mov")) == hashlib.sha256(b"b c.mov").hexdigest()


def test_addresses_are_listed_and_read_as_folders_are(archive: Path) -> None:
    pytest.importorskip("pyarrow", reason="the extra [fleet] is not installed")
    here, there = find([str(archive)]).files, find([archive.as_uri()]).files
    assert [(one.within, one.size) for one in there] == [(one.within, one.size) for one in here]
    for one, other in zip(here, there, strict=True):
        assert other.place.startswith("file:///")
        assert sha256_of(other.place) == sha256_of(one.place)
        with opened(other.place) as content:
            assert content is not None
            content.seek(2)
            assert content.read() == Path(one.place).read_bytes()[2:]
    (single,) = find([f"{archive.as_uri()}/garage/1.mp4"]).files
    assert single.within == "garage/1.mp4"


def test_an_address_that_holds_a_key_is_refused_without_showing_it() -> None:
    pytest.importorskip("pyarrow", reason="the extra [fleet] is not installed")
    with pytest.raises(ArchiveError) as caught:
        find(["s3://KEY:hush@bucket/all"])
    assert "hush" not in str(caught.value)
    assert "AWS_SECRET_ACCESS_KEY" in str(caught.value)


def test_the_names_of_all_files_begin_with_the_place_that_was_asked_for(archive: Path) -> None:
    pytest.importorskip("pyarrow", reason="the extra [fleet] is not installed")
    (archive / "a b").mkdir()
    (archive / "a b" / "3.mp4").write_bytes(b"3")
    for place in (str(archive), archive.as_uri(), f"{archive.as_uri()}/a b", f"{archive.as_uri()}/a%20b"):
        assert all(one.place.startswith(absolute(place) + "/") for one in find([place]).files)
