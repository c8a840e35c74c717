from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from engines.build import main
from engines.load import load_detector, load_embedder
from engines.options import EngineOptions


def _run(models: Path, cache: Path, *more: str) -> int:
    return main(["--models", str(models), "--cache", str(cache), "--precision", "fp32", "--size", "320x180", *more])


def test_what_is_built_is_there_the_second_time_and_all_that_a_run_needs(
    options: EngineOptions, model: Callable[[str], str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model("mtcnn")
    model("sface")
    assert _run(options.models, tmp_path) == 0
    first = capsys.readouterr().out.splitlines()
    assert len(first) == 5
    assert all("built in" in line for line in first)
    assert _run(options.models, tmp_path) == 0
    second = capsys.readouterr().out.splitlines()
    assert all("already there" in line for line in second)
    before = set(tmp_path.iterdir())
    wanted = EngineOptions(precision="fp32", models=options.models, cache=tmp_path)
    load_detector(wanted, size_wh=(320, 180)).close()
    load_embedder(wanted).close()
    assert set(tmp_path.iterdir()) == before


def test_what_cannot_be_built_ends_with_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(tmp_path, tmp_path / "cache") == 2
    assert "checkpoints.fetch sface" in capsys.readouterr().err


@pytest.mark.parametrize("size", ["640", "0x10", "axb", "640x360x3", "-1x5"])
def test_a_size_is_two_lengths(size: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([f"--size={size}", "--models", str(tmp_path)])
    assert ended.value.code == 2
    assert "is not a size like 1280x720" in capsys.readouterr().err
