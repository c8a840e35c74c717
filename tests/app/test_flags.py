from __future__ import annotations

from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import pytest

from app import flags, settings
from checkpoints.errors import SettingsError
from engines import fitting
from pipeline.config import ClipsConfig, OutletsConfig, RecordingsConfig, RunConfig, ServerConfig

SCREEN = {"DISPLAY": ":0"}


def plan(*argv: str, environ: dict[str, str] | None = None) -> flags.Plan:
    args = flags.parser().parse_args(list(argv))
    return flags.run_config(settings.load(environ or {}, {}, flags.given(args)))


def complaint(*argv: str, environ: dict[str, str] | None = None) -> str:
    with pytest.raises(SettingsError) as caught:
        plan(*argv, environ=environ)
    return str(caught.value)


def leaves(config: Any, path: str = "") -> dict[str, object]:
    if not is_dataclass(config) or isinstance(config, ServerConfig | OutletsConfig | ClipsConfig):
        return {path: config}
    return {
        key: value for f in fields(config) for key, value in leaves(getattr(config, f.name), f"{path}.{f.name}").items()
    }


def test_no_flags_play_the_demo_frame_by_frame() -> None:
    made = plan()
    assert [camera.source for camera in made.config.cameras] == ["demo"]
    assert made.config.capture.lossless
    assert (made.report, made.trace) == (None, None)


def test_every_field_of_the_run_config_can_be_set() -> None:
    defaults = leaves(plan().config)
    changed = leaves(
        plan(
            *("--source", "0", "--size", "640x360", "--realtime", "9", "--loop", "--frames", "3"),
            *("--detector", "yunet", "--embedder", "facenet", "--backend", "onnx", "--precision", "fp32"),
            *("--threads", "2", "--min-face", "20", "--gallery", "g", "--placement", "fused", "--display", "window"),
            *("--record", "o.mp4", "--clips", "c", "--events", "e.jsonl", "--detect-every", "9"),
            *("--matcher", "svm", "--server", "https://q:1"),
            environ=SCREEN
            | {"OPEN_TIMEOUT": "1", "DETECTOR_THRESHOLDS": "0.1,0.1,0.1", "PYRAMID_FACTOR": "0.5", "DATA_DIR": "/d"}
            | {"MATCH_THRESHOLD": "0.2", "MATCH_MARGIN": "0.2", "EVENT_EVERY": "2", "HANG_TIMEOUT": "2"}
            | {"FALSE_NAMES": "0.1", "UNKNOWN_RETENTION_DAYS": "1", "EVENTS_MB": "1", "MQTT_URL": "mqtt://b"}
            | {"ENCRYPTION_KEY": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="}
            | {"CAMERA_TIMEOUT": "2", "WAIT_FOR_CAMERAS": "true", "EVENTS_DAYS": "1"}
            | {"START_TIMEOUT": "2", "MAX_RESTARTS": "1", "RESTART_WINDOW": "2", "STOP_TIMEOUT": "1"}
            | {"MEMORY_LIMIT_MB": "2000", "DISK_RESERVE_MB": "100", "REST": "5"},
        ).config
    )
    assert changed.keys() == defaults.keys()
    # For tests alone; instead of --record FILE; of a fleet.
    others = ("reconnect_s", "longest_rest_s", "output.recordings", "output.event_run")
    assert [path for path in changed if changed[path] == defaults[path] and not path.endswith(others)] == []


def test_a_recording_is_a_file_or_a_folder_of_films(tmp_path: Path) -> None:
    (tmp_path / "of.films").mkdir()
    environ = {"RECORD_MINUTES": "5", "RECORD_RETENTION_DAYS": "2"}
    for name in ("films", "of.films"):
        output = plan("--record", str(tmp_path / name), environ=environ).config.output
        assert (output.record, output.recordings) == (None, RecordingsConfig(tmp_path / name, 5.0, 2.0))
    output = plan("--record", str(tmp_path / "one.mp4"), environ=environ).config.output
    assert (output.record, output.recordings) == (tmp_path / "one.mp4", None)


@pytest.mark.parametrize(
    ("environ", "url"),
    [
        ({}, None),
        ({"QDRANT_PORT": "7"}, None),
        ({"QDRANT_HOST": "q"}, "http://q:6333"),
        ({"QDRANT_HOST": "q", "QDRANT_PORT": "7"}, "http://q:7"),
        ({"QDRANT_HOST": "q", "QDRANT_URL": "https://other"}, "https://other"),
    ],
)
def test_a_server_is_named_by_its_address_or_its_host(environ: dict[str, str], url: str | None) -> None:
    server = plan(environ=environ).config.gallery.server
    assert (server and server.url) == url


def test_what_is_said_to_the_server_comes_from_the_settings() -> None:
    more = {"QDRANT_API_KEY": "k", "QDRANT_GRPC_PORT": "6", "QDRANT_TIMEOUT": "2", "QDRANT_COLLECTION": "c"}
    server = plan(environ={"QDRANT_URL": "http://q:1", **more}).config.gallery.server
    assert server == ServerConfig("http://q:1", "k", 6, 2.0, "c")


def test_a_cluster_is_named_by_its_nodes() -> None:
    server = plan(environ={"QDRANT_URL": "http://a:1, https://b,http://a:1", "QDRANT_READS": "server"})
    assert server.config.gallery.server == ServerConfig("http://a:1", further=("https://b",), reads="server")


def test_defaults_are_those_of_the_run_config() -> None:
    ours, theirs = leaves(plan("--display", "none").config), leaves(RunConfig(plan().config.cameras))
    differing = {path for path in ours if ours[path] != theirs[path]}
    # Folders are made absolute; the precision depends on the machine.
    assert differing - {".engines.precision"} == {
        ".engines.models",
        ".engines.cache",
        ".gallery.path",
        ".output.snapshots",
    }


def test_flags_of_the_contract_exist() -> None:
    text = flags.parser().format_help()
    for flag in (
        *("--source", "--display", "--record", "--events", "--frames", "--loop", "--realtime", "--lossless", "--size"),
        *("--detector", "--embedder", "--precision", "--backend", "--placement", "--report", "--trace", "--gallery"),
        "--detect-every",
        "--matcher",
        "--server",
    ):
        assert f"  {flag}" in text


def test_report_and_trace_are_for_the_parent() -> None:
    made = plan("--report", "r.json", "--trace", "t.json")
    assert (made.report, made.trace) == (Path("r.json"), Path("t.json"))


@pytest.mark.parametrize(
    ("argv", "lossless", "fps"),
    [
        (["--source", "a.mp4"], True, None),
        (["--source", "a.mp4", "--source", "demo"], True, None),
        (["--source", "a.mp4", "--realtime", "25"], False, 25.0),
        (["--source", "0"], False, None),
        (["--source", "rtsp://h/1"], False, None),
        (["--source", "gst:videotestsrc ! appsink"], False, None),
        (["--source", "a.mp4", "--source", "0"], False, None),
    ],
)
def test_files_are_lossless_and_what_is_live_is_not(argv: list[str], lossless: bool, fps: float | None) -> None:
    capture = plan(*argv).config.capture
    assert (capture.lossless, capture.realtime_fps) == (lossless, fps)


def test_the_environment_may_set_the_rate_and_the_flag_undo_it() -> None:
    rate = {"FPS_TARGET": "25"}
    assert plan("--source", "a.mp4", environ=rate).config.capture.realtime_fps == 25
    assert plan("--source", "a.mp4", "--lossless", environ=rate).config.capture.lossless


def test_a_live_source_cannot_be_lossless_and_its_password_is_not_told() -> None:
    text = complaint("--source", "a.mp4", "--source", "rtsp://me:s3cret@host/1", "--lossless")
    assert "rtsp://…@host/1" in text
    assert "s3cret" not in text
    assert "a.mp4" not in text


def test_realtime_and_lossless_exclude_each_other() -> None:
    assert "not allowed with" in complaint("--realtime", "25", "--lossless")


@pytest.mark.parametrize(
    ("mode", "environ", "display"),
    [
        ("auto", SCREEN, "window"),
        ("auto", {"WAYLAND_DISPLAY": "wayland-0"}, "window"),
        ("auto", {"DISPLAY": ""}, "none"),
        ("window", SCREEN, "window"),
        ("none", SCREEN, "none"),
    ],
)
def test_auto_opens_a_window_where_there_is_a_screen(
    mode: str, environ: dict[str, str], display: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    assert plan("--display", mode, environ=environ).config.output.display == display


def test_a_window_without_a_screen_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    assert "--display none" in complaint("--display", "window")


@pytest.mark.parametrize(
    ("environ", "argv", "precision"),
    [
        ({}, [], fitting.precision("auto")),
        ({"USE_FP16": "true"}, [], "fp16"),
        ({"USE_FP16": "false"}, [], "fp32"),
        ({"USE_FP16": "false", "PRECISION": "int8"}, [], "int8"),
        ({"USE_FP16": "false"}, ["--precision", "fp16"], "fp16"),
    ],
)
def test_precision_wins_over_use_fp16(environ: dict[str, str], argv: list[str], precision: str) -> None:
    assert plan(*argv, environ=environ).config.engines.precision == precision


def test_a_slip_in_a_flag_is_answered_with_the_nearest() -> None:
    assert "did you mean --source?" in complaint("--sorce", "0")


def test_a_stray_word_is_taken_for_a_video() -> None:
    assert "--source x.mp4" in complaint("x.mp4")


def test_a_stray_address_is_told_without_its_password() -> None:
    assert "s3cret" not in complaint("rtsp://me:s3cret@host/1")


def test_flags_are_not_abbreviated() -> None:
    assert "unrecognized" in complaint("--sour", "0")


def test_help_names_the_setting_and_the_default(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        flags.parser().parse_args(["--help"])
    assert ended.value.code == 0
    assert "(default mtcnn; DETECTOR_ENGINE)" in " ".join(capsys.readouterr().out.split())
