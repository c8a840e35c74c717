from __future__ import annotations

from pathlib import Path

import pytest

from app import settings
from app.commands import main
from checkpoints import manifest, store

MODELS = settings.ROOT / "data" / "models"


@pytest.fixture
def there() -> None:
    for name in ("mtcnn", "sface"):
        if not all(store.is_there(file, MODELS) for file in manifest.load(name).files):
            pytest.skip(f"the model {name} is not there: run `python -m checkpoints.fetch {name}`")


def test_a_machine_that_has_all_is_told_so_and_what_it_runs_on(
    there: None, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATA_DIR", str(settings.ROOT / "data"))
    monkeypatch.setenv("BACKEND", "openvino")
    assert main(["doctor"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert all(line.startswith("pass  ") for line in lines)
    (engines,) = (line for line in lines if " engines " in line)
    assert "openvino" in engines


def test_what_is_missing_fails_with_what_to_do(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    assert main(["doctor"]) == 1
    (models,) = (line for line in capsys.readouterr().out.splitlines() if " models " in line)
    assert models.startswith("FAIL")
    assert "python -m checkpoints.fetch sface" in models


def test_a_backend_that_is_not_here_is_said_with_the_reason(
    there: None, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from engines import backends

    reason = backends.why_not("tensorrt")
    if reason is None:
        pytest.skip("TensorRT can be used here")
    monkeypatch.setenv("DATA_DIR", str(settings.ROOT / "data"))
    assert main(["doctor"]) == 0
    assert f"not tensorrt: {reason}" in capsys.readouterr().out
    monkeypatch.setenv("BACKEND", "tensorrt")
    assert main(["doctor"]) == 1
    assert reason in capsys.readouterr().out
