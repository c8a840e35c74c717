"""The file of cameras, as a fleet reads it. What a camera's table may say is tried in tests/app/test_camera_list.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.fleet import roster
from app.logins import Logins
from checkpoints.errors import SettingsError

NOBODY = Logins()


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
        zone = [0.0, 0.2, 1.0, 1.0]

        [[camera]]
        name = "Yard 2"
        source = 0
        """,
    )
    door, yard = roster.read(path, NOBODY)
    assert (door.name, door.source, door.site) == ("door", "rtsp://me:secret@10.0.0.7/stream", "hall")
    config = door.config()
    assert (config.name, config.source, config.live) == ("door", "rtsp://me:secret@10.0.0.7/stream", True)
    assert (config.size_wh, config.fps) == ((640, 360), 5.0)
    assert config.zone == ((0.0, 0.2), (1.0, 0.2), (1.0, 1.0), (0.0, 1.0))
    assert "secret" not in repr(door) + config.shown
    assert (yard.name, yard.source, yard.site, yard.config().source) == ("Yard 2", "0", None, "0")


def test_logins_are_filled_in_before_the_cameras_travel(tmp_path: Path) -> None:
    path = written(tmp_path, '[[camera]]\nname = "door"\nsource = "rtsp://{user}:{password}@10.0.0.7/"')
    (door,) = roster.read(path, Logins({"CAMERA_USER": "me", "CAMERA_PASSWORD_DOOR": "a/b@c"}))
    assert door.source == "rtsp://me:a%2Fb%40c@10.0.0.7/"
    with pytest.raises(SettingsError, match="CAMERA_USER_DOOR"):
        roster.read(path, NOBODY)
    with pytest.raises(SettingsError, match="CAMERA_USER_YARD"):
        roster.read(path, Logins({"CAMERA_USER_YARD": "me"}))


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
        source = 0
        min_face = 1
        [[camera]]
        site = "no site"
        """,
    )
    with pytest.raises(SettingsError) as raised:
        roster.read(path, NOBODY)
    said = str(raised.value)
    assert "two cameras are called a" in said
    assert "siz is not known; did you mean size?" in said
    assert "camera 1 (a): source is not an address" in said
    assert "camera 2 (a): min_face is out of range" in said
    assert "camera 3: it has no source" in said
    assert "camera 3: site is not a name" in said
    assert "secret" not in said


def test_a_camera_without_a_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="camera 2 without"):
        roster.read(written(tmp_path, '[[camera]]\nname="a"\nsource="demo"\n[[camera]]\nsource="b.mp4"'), NOBODY)


@pytest.mark.parametrize("text", ["", "camera = 3", "[[camera", "[camera]\nname='a'"])
def test_what_is_no_list_of_cameras_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(SettingsError):
        roster.read(written(tmp_path, text), NOBODY)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"no\.toml"):
        roster.read(tmp_path / "no.toml", NOBODY)
