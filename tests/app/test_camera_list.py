from __future__ import annotations

from pathlib import Path

import pytest

from app import camera_list, flags
from app.settings import Settings, load
from checkpoints.errors import SettingsError


def settings(file: Path | None = None, **environ: str) -> Settings:
    return load(environ if file is None else {**environ, "CAMERAS_FILE": str(file)})


@pytest.fixture
def toml(tmp_path: Path) -> Path:
    path = tmp_path / "cameras.toml"
    path.write_text(
        """
        [[camera]]
        name = "front door"
        source = "rtsp://{user}:{password}@10.0.0.5/1"
        size = "640x360"
        fps = 12.5
        min_face = 24
        zone = [0.1, 0, 1, 0.9]
        mask = [[0, 0, 0.5, 0.25], [[0, 0], [1, 0], [0.5, 1.0]]]
        transport = "udp"

        [[camera]]
        source = 0
        format = "mjpg"
        """
    )
    return path


def test_all_that_a_file_of_cameras_may_say(toml: Path) -> None:
    chosen = settings(toml, CAMERA_USER="me", CAMERA_PASSWORD_FRONT_DOOR="p@ss/wört {x}", CAMERA_PASSWORD="other")
    door, usb = camera_list.cameras_of(chosen)
    assert door.name == "front door"
    assert door.source == "rtsp://me:p%40ss%2Fw%C3%B6rt%20%7Bx%7D@10.0.0.5/1"
    assert door.shown == "rtsp://…@10.0.0.5/1"
    assert (door.size_wh, door.fps, door.min_face_px, door.transport, door.live) == ((640, 360), 12.5, 24, "udp", True)
    assert door.zone == ((0.1, 0.0), (1.0, 0.0), (1.0, 0.9), (0.1, 0.9))
    assert door.masks == (((0, 0), (0.5, 0), (0.5, 0.25), (0, 0.25)), ((0, 0), (1, 0), (0.5, 1)))
    assert (usb.name, usb.source, usb.pixel_format, usb.transport) == ("0", "0", "MJPG", "tcp")
    secrets = ("p@ss", "p%40ss", "wört")
    assert not any(secret in repr(thing) for secret in secrets for thing in (door, chosen, flags.run_config(chosen)))


def test_the_smallest_face_of_any_camera_is_looked_for(toml: Path) -> None:
    chosen = settings(toml, CAMERA_USER="a", CAMERA_PASSWORD="b", MIN_FACE="50")
    assert flags.run_config(chosen).config.engines.min_face_px == 24


def test_everything_wrong_with_the_file_is_told_at_once(tmp_path: Path) -> None:
    path = tmp_path / "cameras.toml"
    path.write_text(
        """
        cam = 1
        [[camera]]
        name = "a/b"
        source = "ftp://host"
        size = "big"
        fps = "25"
        zone = [0, 0, 2, 1]
        mask = [[0.5, 0, 0.5, 1]]
        transprot = "tcp"
        [[camera]]
        name = "yard"
        [[camera]]
        name = "yard"
        source = "demo"
        """
    )
    with pytest.raises(SettingsError) as caught:
        camera_list.read(path)
    told = str(caught.value)
    for part in (
        "cam is not known",
        "camera 1 (a/b): name is not a name",
        "source is not an address",
        "size is not a size",
        "fps is not a number",
        "zone is no area",
        "mask is empty",
        "transprot is not known; did you mean transport?",
        "camera 2 (yard): it has no source",
        "two cameras are called yard",
    ):
        assert part in told


@pytest.mark.parametrize("text", ["", "x", "[camera]\nsource='demo'", "camera = 3", "[[camera]]\nsource = true"])
def test_what_is_no_list_of_cameras(tmp_path: Path, text: str) -> None:
    path = tmp_path / "cameras.toml"
    path.write_text(text)
    with pytest.raises(SettingsError, match="cameras"):
        camera_list.read(path)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        camera_list.read(tmp_path / "none.toml")


def test_names_belong_to_their_sources() -> None:
    chosen = settings(VIDEO_SOURCE="a.mp4", VIDEO_SOURCE_3="b.mp4", VIDEO_NAME_3="yard", VIDEO_NAME_2="nobody")
    assert [camera.name for camera in camera_list.cameras_of(chosen)] == ["a", "yard"]


def test_a_source_on_the_command_line_has_neither_the_name_nor_the_file_of_the_environment(toml: Path) -> None:
    environ = {"VIDEO_NAME": "door", "CAMERAS_FILE": str(toml)}
    (camera,) = camera_list.cameras_of(load(environ, flags={"VIDEO_SOURCE": "a.mp4"}))
    assert (camera.name, camera.source) == ("a", "a.mp4")


def test_sources_and_a_file_of_cameras_exclude_each_other(toml: Path) -> None:
    with pytest.raises(SettingsError, match="VIDEO_SOURCE and CAMERAS_FILE exclude each other"):
        settings(toml, VIDEO_SOURCE="0")


def test_a_login_that_is_missing_or_of_nobody_is_told(toml: Path) -> None:
    with pytest.raises(SettingsError, match="CAMERA_PASSWORD_FRONT_DOOR, or CAMERA_PASSWORD"):
        camera_list.cameras_of(settings(toml, CAMERA_USER="me"))
    with pytest.raises(SettingsError, match="CAMERA_PASSWORD_BACK_DOOR") as caught:
        camera_list.cameras_of(settings(toml, CAMERA_USER="me", CAMERA_PASSWORD_BACK_DOOR="s3cret"))
    assert "s3cret" not in str(caught.value)


def test_the_environment_wins_over_the_file_env() -> None:
    chosen = load(
        {"CAMERA_USER_A": "here"}, {"CAMERA_USER_A": "there", "VIDEO_SOURCE": "http://{user}@h/", "VIDEO_NAME": "a"}
    )
    (camera,) = camera_list.cameras_of(chosen)
    assert camera.source == "http://here@h/"


def test_what_holds_for_all_cameras_of_the_environment() -> None:
    chosen = settings(
        VIDEO_SOURCE="rtsp://h/1",
        CAMERA_TRANSPORT="udp",
        CAMERA_FORMAT="mjpg",
        CAMERA_TIMEOUT="4",
        WAIT_FOR_CAMERAS="1",
    )
    config = flags.run_config(chosen).config
    assert (config.cameras[0].transport, config.cameras[0].pixel_format) == ("udp", "MJPG")
    assert (config.supervise.camera_timeout_s, config.supervise.wait_for_cameras) == (4.0, True)
