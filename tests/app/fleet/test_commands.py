"""The command `fleet`, as far as it needs no cluster."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from app import commands as program
from app import extra, settings
from app.fleet import commands, joining, overview
from app.fleet.collect import Counts
from app.fleet.overview import View
from app.fleet.steps import Wish
from checkpoints.errors import SettingsError
from tests.app.fleet.made_up import nodes


@pytest.mark.parametrize("words", [["status"], ["node", "--head"], ["up", "--cameras", "cameras.toml"], ["down"]])
def test_without_the_extra_it_says_what_to_install(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(extra, "find_spec", lambda name: None)
    assert program.main(["fleet", *words]) == 2
    said = capsys.readouterr().err
    assert "pip install" in said
    assert "fleet" in said.splitlines()[0]


def test_a_machine_joins_with_what_the_fleet_needs_and_without_what_phones_home() -> None:
    head = joining.command(head=True, address=None, port=6400, site="hall", cpus=None)
    assert {"--head", "--port=6400", "--include-dashboard=false", "--disable-usage-stats", "--labels=site=hall"} <= set(
        head
    )
    (config,) = [word for word in head if word.startswith("--system-config=")]
    told = json.loads(config.partition("=")[2])
    silent_s = (
        told["health_check_failure_threshold"]
        * (told["health_check_period_ms"] + told["health_check_timeout_ms"])
        / 1000
    )
    assert silent_s < 15  # the rest of the thirty seconds is for the cameras to begin
    joined = joining.command(head=False, address="10.0.0.1:6379", port=6379, site=None, cpus=3.5)
    assert "--address=10.0.0.1:6379" in joined
    assert "--num-cpus=3.5" in joined
    assert joining.QUIET["RAY_USAGE_STATS_ENABLED"] == "0"


def view(*names: str) -> View:
    return overview.view_of(Wish({}, {}, ()), {}, {}, nodes(*names), {}, Counts(), "")


def test_a_machine_is_known_by_its_address_or_the_beginning_of_its_id() -> None:
    assert commands._machine("10.0.0.ab", view("ab", "cd")).id == "ab"
    assert commands._machine("c", view("ab", "cd")).id == "cd"
    with pytest.raises(SettingsError, match="no machine"):
        commands._machine("x", view("ab", "cd"))
    with pytest.raises(SettingsError, match="Several"):
        commands._machine("a", view("ab", "ac"))


def test_no_lines_are_not_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert program.main(["fleet", "logs", "door", "--lines", "0"]) == 2
    assert "valid are 1 to 500" in capsys.readouterr().err


def test_a_control_that_does_not_end_in_order_ends_nevertheless(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = pytest.importorskip("app.fleet.cluster", reason="needs the extra fleet")
    control, ended = SimpleNamespace(stop=SimpleNamespace(remote=lambda: None)), []

    def interrupted(*_: object, **__: object) -> object:
        raise KeyboardInterrupt

    monkeypatch.setattr(cluster, "control", lambda: control)
    monkeypatch.setattr(cluster, "ask", interrupted)
    monkeypatch.setattr(cluster, "end_control", ended.append)
    with pytest.raises(KeyboardInterrupt):
        commands._down(argparse.Namespace())
    assert ended == [control]


def test_what_is_of_one_machine_only_is_not_passed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    monkeypatch.setenv("EMBEDDER", "dlib")
    monkeypatch.setenv("QDRANT_URL", "http://10.0.0.5:6333")
    passed_on = commands.passed_on(settings.texts({"DETECTOR_ENGINE": "yunet"}))
    assert passed_on["EMBEDDING_ENGINE"] == "dlib"
    assert passed_on["DETECTOR_ENGINE"] == "yunet"
    assert passed_on["QDRANT_URL"] == "http://10.0.0.5:6333"
    assert "DATA_DIR" not in passed_on


def test_what_is_not_passed_on_are_settings() -> None:
    assert set(commands._NOT_PASSED_ON) <= {about.names[0] for _, _, about in settings.catalogue()}
