from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from engines.detector import Detector
from engines.embedder import Embedder
from engines.options import EngineOptions
from testbench import face_curve
from testbench.face_curve import Canvas, main

RED, BLUE = (0, 0, 255), (255, 0, 0)


def test_portraits_stay_on_the_canvas_and_move() -> None:
    portraits = [np.full((50, 50, 3), 200 + i, np.uint8) for i in range(12)]
    canvas = Canvas(portraits, (640, 360))
    first, later = canvas.frame(0), canvas.frame(20)
    assert first.shape == (360, 640, 3)
    for i in range(12):
        shown = [(frame == 200 + i).all(axis=2) for frame in (first, later)]
        assert shown[0].sum() == shown[1].sum() == int(0.85 * 120) ** 2, "whole, and hidden by nobody"
        assert not np.array_equal(*shown)


def test_the_curve(
    portrait: Callable[..., Path],
    detector: Detector,
    embedder: Embedder,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(face_curve, "load_detector", lambda options, **_: detector)
    monkeypatch.setattr(face_curve, "load_embedder", lambda options, **_: embedder)
    monkeypatch.setattr(face_curve, "GROUND", 0)
    portrait("Ada", 1, RED)
    portrait("Bob", 1, BLUE)
    out = tmp_path / "curve.json"
    words = ["--data", str(tmp_path), "--faces", "0,2", "--frames", "70", "--size", "640x360", "--json", str(out)]
    assert main(words) == 0
    curve = json.loads(out.read_text())["curve"]
    assert [point["faces"] for point in curve] == [0, 2]
    assert [point["found"] for point in curve] == [0, 2]
    assert curve[0]["embedded"] == 0
    assert 0 < curve[1]["embedded"] < 0.2, "of two faces in seventy frames few are embedded"
    assert {"detect", "align", "recognise", "frame", "p95", "every"} <= curve[1]["ms"].keys()
    assert "recognise" in capsys.readouterr().err


@pytest.mark.parametrize("flag", ["--faces=1,x", "--faces=13", "--faces=-1"])
def test_a_number_of_faces_that_makes_no_sense_is_named(flag: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--data", ".", flag])
    assert ended.value.code == 2
    assert "--faces" in capsys.readouterr().err


def test_too_few_people_end_with_2(
    portrait: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    portrait("Ada", 1, RED)
    assert main(["--data", str(tmp_path), "--faces", "2"]) == 2
    assert "too few people" in capsys.readouterr().err


def test_the_options_are_those_of_the_program() -> None:
    args = face_curve.parser().parse_args(["--data", "."])
    assert (args.faces, args.size) == ([0, 1, 3, 6, 12], (1280, 720))
    assert args.detect_every == EngineOptions().detect_every
