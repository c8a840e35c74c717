from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from app import prepare, settings
from checkpoints.fetch import DEFAULTS
from engines.options import EngineOptions


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[tuple[object, ...]]:
    """What was fetched and built, by stand-ins."""
    calls: list[tuple[object, ...]] = []

    def fetch(names: Sequence[str], models: Path, say: Any) -> None:
        calls.append(("fetch", list(names), models))

    def build(options: EngineOptions, size_wh: tuple[int, int]) -> list[str]:
        calls.append(("build", options.embedder, size_wh))
        return ["one engine: built"]

    monkeypatch.setattr(prepare, "fetch", fetch)
    monkeypatch.setattr(prepare, "build", build)
    monkeypatch.setattr(settings, "ROOT", Path("/nowhere"))
    return calls


def test_what_the_settings_name_is_fetched_then_built(
    done: list[tuple[object, ...]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.environ", {"DATA_DIR": str(tmp_path), "EMBEDDER": "facenet", "FRAME_SIZE": "640x360"})
    assert prepare.main(["--where", str(tmp_path / "where")]) == 0
    assert done == [("fetch", [*DEFAULTS, "facenet"], tmp_path / "models"), ("build", "facenet", (640, 360))]
    assert (tmp_path / "where").read_text(encoding="utf-8") == f"{tmp_path / 'models'}\n"


def test_an_onnx_file_of_the_users_own_is_not_fetched() -> None:
    assert prepare.wanted(EngineOptions(embedder="/models/mine.onnx")) == list(DEFAULTS)
    assert prepare.wanted(EngineOptions(detector="trained/mine.json")) == list(DEFAULTS)


def test_wrong_settings_are_told_and_nothing_is_done(
    done: list[tuple[object, ...]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("os.environ", {"EMBEDDER": "facenett"})
    assert prepare.main(["--where", str(tmp_path / "where")]) == 2
    assert "did you mean facenet?" in capsys.readouterr().err
    assert not done
    assert not (tmp_path / "where").exists()
