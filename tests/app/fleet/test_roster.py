"""cameras.toml: what it may say, and how it is told what it may not."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.fleet import roster
from app.fleet.roster import FleetCamera
from checkpoints.errors import SettingsError


def written(folder: Path, text: str) -> Path:
    path = folder / "cameras.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_camera_has_a_name_a_source_and_what_it_likes(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        """
        [[camera]]
        name = "door"
        source = "rtsp://me:secret@10.0.0.7/stream"
        site = "hall"
        size = "640x360"
        fps = 5
        loop = true

        [[camera]]
        name = "Yard 2"
        source = "clip.mp4"
        """,
    )
    door, yard = roster.read(path)
    settings = (("FRAME_SIZE", "640x360"), ("FPS_TARGET", "5"), ("LOOP", "true"))
    assert door == FleetCamera("door", "rtsp://me:secret@10.0.0.7/stream", "hall", settings)
    assert yard == FleetCamera("Yard 2", "clip.mp4")
    assert "secret" not in repr(door)


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        """
        [[camera]]
        name = "a"
        source = "gopher://me:secret@host/x"
        siz = "640x360"
        [[camera]]
        name = "a"
        source = "0"
        min_face = 1
        [[camera]]
        site = "no site"
        """,
    )
    with pytest.raises(SettingsError) as raised:
        roster.read(path)
    said = str(raised.value)
    assert "two cameras are called a" in said
    assert "siz is not known; did you mean size?" in said
    assert "gopher://…@host/x is not an address" in said
    assert "MIN_FACE=1 is out of range" in said
    assert "camera 3: its name is missing" in said
    assert "camera 3: it has no source" in said
    assert "no site is not a name" in said
    assert "secret" not in said


@pytest.mark.parametrize("text", ["", "camera = 3", "[[camera", "[camera]\nname='a'"])
def test_what_is_no_list_of_cameras_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(SettingsError):
        roster.read(written(tmp_path, text))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"no\.toml"):
        roster.read(tmp_path / "no.toml")
