from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from app import settings
from checkpoints.errors import SettingsError
from checkpoints.manifest import Role
from engines import models

# One value that is not the default for every setting there is.
OTHER = {
    "VIDEO_SOURCE": "0",
    "FRAME_SIZE": "640x360",
    "FRAMES": "7",
    "LOOP": "yes",
    "FPS_TARGET": "12.5",
    "LOSSLESS": "false",
    "OPEN_TIMEOUT": "3",
    "CAMERAS_FILE": "/etc/cameras.toml",
    "VIDEO_NAME": "front door",
    "CAMERA_USER": "me",
    "CAMERA_PASSWORD": "s3cret",
    "CAMERA_TRANSPORT": "udp",
    "CAMERA_FORMAT": "mjpg",
    "CAMERA_TIMEOUT": "4",
    "WAIT_FOR_CAMERAS": "true",
    "DETECTOR_ENGINE": "yunet",
    "EMBEDDING_ENGINE": "facenet",
    "PRECISION": "fp32",
    "USE_FP16": "true",
    "BACKEND": "openvino",
    "PLACEMENT": "fused",
    "THREADS": "2",
    "MIN_FACE": "30",
    "DETECT_EVERY": "2",
    "DETECTOR_THRESHOLDS": "0.5,0.6,0.8",
    "PYRAMID_FACTOR": "0.8",
    "GALLERY_DIR": "/somewhere",
    "MATCHER": "svm",
    "MATCH_THRESHOLD": "0.4",
    "MATCH_MARGIN": "0.1",
    "FALSE_NAMES": "0.02",
    "UNKNOWN_RETENTION_DAYS": "0",
    "QDRANT_URL": "https://q:6333",
    "QDRANT_HOST": "localhost",
    "QDRANT_PORT": "7000",
    "QDRANT_API_KEY": "k3y",
    "QDRANT_GRPC_PORT": "6334",
    "QDRANT_TIMEOUT": "2",
    "QDRANT_READS": "server",
    "QDRANT_COLLECTION": "faces",
    "DISPLAY_MODE": "none",
    "RECORD": "a.mp4",
    "RECORD_MINUTES": "30",
    "RECORD_RETENTION_DAYS": "3",
    "CLIPS": "clips",
    "CLIP_SECONDS": "3",
    "CLIP_RETENTION_DAYS": "7",
    "EVENTS": "a.jsonl",
    "EVENT_EVERY": "5",
    "REPORT_FILE": "r.json",
    "TRACE_FILE": "t.json",
    "CONSOLE_HOST": "0.0.0.0",
    "CONSOLE_PORT": "8081",
    "CONSOLE_PASSWORD": "correct horse",
    "CONSOLE_VIEWER_PASSWORD": "battery staple",
    "CONSOLE_TOKEN": "0123456789abcdef",
    "CONSOLE_VIEWER_TOKEN": "fedcba9876543210",
    "CONSOLE_FPS": "5",
    "STALE_AFTER": "9",
    "EVENTS_MB": "5",
    "EVENTS_DAYS": "3",
    "EVENTS_CROPS": "no",
    "MQTT_URL": "mqtts://broker",
    "MQTT_USER": "me",
    "MQTT_PASSWORD": "pass word",
    "MQTT_CA": "ca.pem",
    "MQTT_TOPIC": "home/faces",
    "MQTT_DISCOVERY": "off",
    "WEBHOOK_URL": "https://host/hook?key=1",
    "WEBHOOK_SECRET": "s3cret",
    "WEBHOOK_TIMEOUT": "2",
    "HANG_TIMEOUT": "4",
    "START_TIMEOUT": "60",
    "MAX_RESTARTS": "2",
    "RESTART_WINDOW": "30",
    "STOP_TIMEOUT": "2",
    "MEMORY_LIMIT_MB": "700",
    "DISK_RESERVE_MB": "50",
    "REST": "10",
    "ARCHIVE_DIR": "/archive",
    "ARCHIVE_COLLECTION": "recordings",
    "INDEX_WORKERS": "3",
    "FALSE_SIGHTINGS": "2",
    "DATA_DIR": "/data",
    "ENCRYPTION_KEY": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
    "ENCRYPTION_KEY_FILE": "/run/secrets/key",
    "AUDIT_RETENTION_DAYS": "90",
    "FLEET_CPUS": "0.5",
    "FLEET_GPUS": "0.25",
    "FLEET_PORT": "8091",
    "FLEET_KEY": "0123456789abcdef",
    "FLEET_TOKEN": "0123456789abcdef",
}


def problems(*args: Any) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        settings.load(*args)
    assert caught.value.what == "The settings cannot be used."
    return (caught.value.saw or "").splitlines()


def test_nothing_given_gives_the_defaults() -> None:
    assert settings.load({}) == settings.Settings(screen=settings.load({}).screen)
    assert settings.load({}).source.sources == ("demo",)


def test_the_list_above_has_every_setting() -> None:
    assert list(OTHER) == [about.names[0] for _, _, about in settings.catalogue()]


@pytest.mark.parametrize("name", OTHER)
def test_every_setting_changes_its_own_field_only(name: str) -> None:
    defaults, changed = settings.load({}), settings.load({name: OTHER[name]})
    differing = [
        about.names[0]
        for section, item, about in settings.catalogue()
        if getattr(getattr(changed, section), item.name) != getattr(getattr(defaults, section), item.name)
    ]
    assert differing == [name]


def test_names_are_unique() -> None:
    names = [name for _, _, about in settings.catalogue() for name in about.names]
    assert len(names) == len(set(names))


def test_the_card_and_the_design_name_the_models_differently() -> None:
    chosen = settings.load({"DETECTOR": "yunet", "EMBEDDER": "facenet"})
    assert chosen.models == settings.load({"DETECTOR_ENGINE": "YuNet", "EMBEDDING_ENGINE": "facenet"}).models


def test_two_names_of_one_setting_may_agree_but_not_differ() -> None:
    assert settings.load({"DETECTOR": "yunet", "DETECTOR_ENGINE": "yunet"}).models.detector == "yunet"
    assert problems({"DETECTOR": "yunet", "DETECTOR_ENGINE": "mtcnn"}) == [
        "DETECTOR_ENGINE=mtcnn and DETECTOR=yunet mean the same; set one of them"
    ]


def test_flags_win_over_the_environment_and_that_over_dotenv() -> None:
    dotenv, environ, flags = {"MIN_FACE": "50", "FRAMES": "5"}, {"MIN_FACE": "60", "FRAMES": "6"}, {"MIN_FACE": "70"}
    chosen = settings.load(environ, dotenv, flags)
    assert (chosen.models.min_face_px, chosen.source.frames) == (70, 6)


def test_an_alias_in_the_environment_wins_over_the_other_name_in_dotenv() -> None:
    assert settings.load({"DETECTOR": "mtcnn"}, {"DETECTOR_ENGINE": "yunet"}).models.detector == "mtcnn"


def test_an_empty_value_counts_as_none() -> None:
    assert settings.load({"FRAMES": "", "DETECTOR": ""}, {"FRAMES": "3", "LOOP": None}).source.frames == 3


def test_sources_are_numbered_and_replaced_as_a_whole() -> None:
    dotenv = {"VIDEO_SOURCE_10": "j.mp4", "VIDEO_SOURCE_2": "b.mp4", "VIDEO_SOURCE": "a.mp4"}
    assert settings.load({}, dotenv).source.sources == ("a.mp4", "b.mp4", "j.mp4")
    assert settings.load({"VIDEO_SOURCE": "0"}, dotenv).source.sources == ("0",)


def test_all_problems_come_at_once_with_a_line_each() -> None:
    environ = {"QDRNT_PORT": "1", "QDRANT_PORT": "65536", "USE_FP16": "maybe", "MATCH_THRESHOLD": "nan"}
    assert problems(environ, {"DISPLAY": ":0"}, {"FRAME_SIZE": "1280", "DISPLAY_MODE": "windw"}) == [
        "DISPLAY is not a setting; did you mean DISPLAY_MODE?",
        "QDRNT_PORT is not a setting; did you mean QDRANT_PORT?",
        "--size 1280 is not a size; write WIDTHxHEIGHT, for example 1280x720",
        "USE_FP16=maybe is neither true nor false",
        "MATCH_THRESHOLD=nan is out of range; valid are -1 to 1",
        "QDRANT_PORT=65536 is out of range; valid are 1 to 65535",
        "--display windw is not known; valid are auto, window, web and none; did you mean window?",
    ]


@pytest.mark.parametrize("port", ["0", "-1", "65536", "http", "1.5"])
def test_a_port_out_of_range_is_refused(port: str) -> None:
    assert len(problems({"QDRANT_PORT": port})) == 1


def test_the_edges_of_the_port_range_are_valid() -> None:
    assert [settings.load({"QDRANT_PORT": port}).gallery.qdrant_port for port in ("1", "65535")] == [1, 65535]


def test_unknown_names_are_told_of_in_dotenv_but_only_slips_in_the_environment() -> None:
    foreign = {"XDG_DATA_DIRS": "/usr/share", "QUEUE_URL": "x", "PING_TIMEOUT": "3", "THREAD": "2", "TRACE": "1"}
    settings.load(foreign)
    assert len(problems({}, foreign)) == len(foreign)
    assert problems({"VIDEO_SORCE": "0"}) == ["VIDEO_SORCE is not a setting; did you mean VIDEO_SOURCE?"]


def test_a_password_in_a_bad_address_is_not_told() -> None:
    (line,) = problems({"VIDEO_SOURCE": "ftp://admin:s3cret@camera/x"})
    assert "s3cret" not in line
    assert "camera" in line


@pytest.mark.parametrize("key", ["two words", "k\u00e9y", "k\tey"])
def test_a_bad_key_is_not_told(key: str) -> None:
    (line,) = problems({"QDRANT_API_KEY": key})
    assert line.startswith("QDRANT_API_KEY=… is not a key")
    assert key not in line


def test_a_password_in_the_address_of_the_server_is_refused_and_not_told() -> None:
    (line,) = problems({"QDRANT_URL": "https://me:s3cret@host:6333"})
    assert "s3cret" not in line
    assert "QDRANT_API_KEY" in line


def test_pace_settings_exclude_each_other_within_a_layer() -> None:
    both = {"FPS_TARGET": "25", "LOSSLESS": "true"}
    assert problems(both) == ["FPS_TARGET and LOSSLESS exclude each other; set one of them"]
    above = settings.load({"FPS_TARGET": "25"}, {}, {"LOSSLESS": "true"}).source
    assert (above.fps_target, above.lossless) == (None, True)
    below = settings.load({"FPS_TARGET": "25"}, {"LOSSLESS": "true"}).source
    assert (below.fps_target, below.lossless) == (25, None)


def test_dotenv_is_read_beside_run_sh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "ROOT", tmp_path)
    monkeypatch.setattr("os.environ", {"FRAMES": "9"})
    (tmp_path / ".env").write_text('# mine\nFRAMES=4\nVIDEO_SOURCE="rtsp://u:p$${HOME}@h/1"\n', encoding="utf-8")
    chosen = settings.read({"MIN_FACE": "33"})
    assert (chosen.source.frames, chosen.models.min_face_px) == (9, 33)
    assert chosen.source.sources == ("rtsp://u:p$${HOME}@h/1",)
    assert chosen.data_dir == tmp_path / "data"


def test_a_dotenv_that_is_not_text_is_a_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "ROOT", tmp_path)
    (tmp_path / ".env").write_bytes(b"FRAMES=\xff\xfe")
    with pytest.raises(SettingsError, match=r"The file \.env cannot be read"):
        settings.read()


def test_the_example_is_the_committed_one() -> None:
    committed = (settings.ROOT / ".env.example").read_text(encoding="utf-8")
    assert committed == settings.example(), "run: python -m app.settings > .env.example"


def test_the_example_uncommented_gives_the_defaults() -> None:
    lines = [line[1:] for line in settings.example().splitlines() if line.startswith("#") and line[1:2].isupper()]
    assert settings.load({}, dict(line.split("=", 1) for line in lines)) == settings.load({})
    assert len(lines) == len(OTHER)


def test_every_setting_has_help() -> None:
    for _, kind in settings.SECTIONS:
        assert kind.__doc__
        for item in fields(kind):
            assert len(item.metadata["about"].help) > 15


@pytest.mark.parametrize(("setting", "role"), [("DETECTOR", "detector"), ("EMBEDDER", "embedder")])
def test_all_models_that_there_are_can_be_chosen_and_files_that_people_bring(setting: str, role: Role) -> None:
    for name in models.names(role):
        chosen = settings.load({setting: name}, {}).models
        assert getattr(chosen, setting.lower()) == name
    assert getattr(settings.load({setting: "a/b.onnx"}, {}).models, setting.lower()) == "a/b.onnx"
    (problem,) = problems({setting: "nobody"}, {})
    assert all(name in problem for name in models.names(role))
