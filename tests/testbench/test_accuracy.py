from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from checkpoints import manifest, store
from engines.detector import Detector
from engines.embedder import Embedder
from engines.options import EngineOptions
from testbench import accuracy, embeddings
from testbench.accuracy import main

ROOT = Path(__file__).resolve().parents[2]
REAL = ROOT.parent / "shared" / "data"
RED, BLUE, WHITE = (0, 0, 255), (255, 0, 0), (255, 255, 255)

Asked = list[EngineOptions]


@pytest.fixture
def asked(detector: Detector, embedder: Embedder, monkeypatch: pytest.MonkeyPatch) -> Asked:
    """Drawn squares are found and known by their colour; what was asked of the engines is kept."""
    options: Asked = []

    def load_detector(config: EngineOptions, **_: object) -> Detector:
        options.append(config)
        return detector

    for module in (accuracy, embeddings):
        monkeypatch.setattr(module, "load_detector", load_detector)
        monkeypatch.setattr(module, "load_embedder", lambda config, **_: embedder)
    return options


@pytest.fixture
def faces(tmp_path: Path) -> Path:
    """Three pictures: two squares of which one is labelled, one and a dim one, one to be ignored."""
    folder = tmp_path / "faces"
    (folder / "images").mkdir(parents=True)
    for name, squares in (
        ("one.png", ((10, 10, 30, 255), (100, 10, 30, 255))),
        ("two.png", ((10, 10, 30, 255), (100, 10, 20, 30))),
        ("three.png", ((10, 10, 40, 255),)),
    ):
        image_bgr = np.zeros((100, 200, 3), np.uint8)
        for x, y, side, grey in squares:
            image_bgr[y : y + side, x : x + side] = grey
        assert cv2.imwrite(str(folder / "images" / name), image_bgr)
    (folder / "gt.txt").write_text(
        "one.png\n1\n10 10 30 30 0 0 0 0 0 0\n"
        "two.png\n2\n10 10 30 30 0 0 0 0 0 0\n100 10 20 20 0 0 0 0 0 0\n"
        "three.png\n1\n10 10 40 40 0 0 0 1 0 0\n"
    )
    return folder


def _figures(words: list[str], out: Path) -> dict[str, object]:
    assert main([*words, "--json", str(out)]) == 0
    figures: dict[str, object] = json.loads(out.read_text())
    return figures


def test_detect(faces: Path, asked: Asked, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of three faces two are found and one wrong box: the two best of three boxes score 0.99 and one of them is right
    only where the wrong one comes later, with 0.9."""
    figures = _figures(["detect", "--data", str(faces)], tmp_path / "out.json")
    assert (figures["images"], figures["faces"]) == (3, 3)
    assert figures["ap"] == pytest.approx(2 / 3, abs=1e-4)
    assert figures["recall_at_1fppi"] == pytest.approx(2 / 3, abs=1e-4)
    assert figures["false_positives"] == 1
    assert figures["ms_per_image"] is not None
    assert json.loads(capsys.readouterr().out) == figures
    assert asked[0].min_face_px == figures["min_face_px"] == 20


def test_detect_leaves_low_faces_out_and_reads_fewer_pictures(faces: Path, asked: Asked, tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    assert _figures(["detect", "--data", str(faces), "--min-height", "25"], out)["ap"] == 1
    assert _figures(["detect", "--data", str(faces), "--limit", "1"], out)["faces"] == 1


def test_the_flags_reach_the_engines(faces: Path, asked: Asked) -> None:
    flags = "--detector yunet --precision fp32 --backend onnx --min-face 33 --thresholds 0.1,0.2,0.3 --threads 2"
    assert main(["detect", "--data", str(faces), "--models", "m", "--cache", "c", *flags.split()]) == 0
    assert asked == [
        EngineOptions(
            detector="yunet",
            precision="fp32",
            backend="onnx",
            min_face_px=33,
            thresholds=(0.1, 0.2, 0.3),
            threads=2,
            models=Path("m"),
            cache=Path("c"),
        )
    ]


def test_verify(portrait: Callable[..., Path], asked: Asked, tmp_path: Path) -> None:
    for name, colour in (("Ada", RED), ("Bob", BLUE)):
        portrait(name, 1, colour)
        portrait(name, 2, colour)
    pairs = tmp_path / "pairs.txt"
    pairs.write_text("2 2\n" + "Ada 1 2\nBob 1 2\nAda 1 Bob 1\nAda 2 Bob 1\n" * 2)
    words = ["verify", "--data", str(tmp_path), "--pairs", str(pairs)]
    figures = _figures(words, tmp_path / "out.json")
    assert figures["accuracy"] == 1
    assert figures["tar_at_far"] == {"1e-2": 1, "1e-3": 1}
    assert {"threshold", "ms_per_face", "undetected"} <= figures.keys()
    assert figures["pairs"] == 8
    assert _figures([*words, "--limit", "4"], tmp_path / "out.json")["pairs"] == 4


def test_identify(portrait: Callable[..., Path], asked: Asked, tmp_path: Path) -> None:
    for name, number, colour in (("Ada", 1, RED), ("Ada", 2, RED), ("Bob", 1, BLUE), ("Bob", 2, BLUE), ("X", 1, WHITE)):
        portrait(name, number, colour)
    figures = _figures(["identify", "--data", str(tmp_path)], tmp_path / "out.json")
    assert (figures["gallery"], figures["probes"], figures["strangers"]) == (2, 2, 1)
    assert figures["dir_at_fpir"] == {"1e-2": 1}
    assert figures["rank1"] == 1
    assert "threshold" in figures


def test_what_cannot_be_measured_ends_with_2_and_says_why(
    faces: Path, asked: Asked, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pairs = tmp_path / "pairs.txt"
    pairs.write_text("1 1\nAda\n")
    for words, said in (
        (["detect", "--data", str(tmp_path / "nowhere")], "does not exist"),
        (["detect", "--data", str(tmp_path)], "has no gt.txt"),
        (["detect", "--data", str(faces), "--min-height", "99"], "no face to be found"),
        (["detect", "--data", str(faces), "--json", str(tmp_path / "no" / "out.json")], "cannot be written"),
        (["verify", "--data", str(faces), "--pairs", str(pairs)], "line 2: 'Ada'"),
        (["identify", "--data", str(faces)], "one picture"),
    ):
        assert main(words) == 2, words
        assert said in capsys.readouterr().err
    (faces / "images" / "two.png").unlink()
    assert main(["detect", "--data", str(faces)]) == 2
    assert "two.png" in capsys.readouterr().err


@pytest.mark.parametrize("flag", ["--limit=0", "--min-face=x", "--thresholds=0.6,0.7", "--threads=-1"])
def test_a_flag_that_makes_no_sense_is_named(flag: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["detect", "--data", ".", flag])
    assert ended.value.code == 2
    assert flag.split("=")[0] in capsys.readouterr().err


def test_a_detector_that_does_not_exist_ends_with_2(faces: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["detect", "--data", str(faces), "--detector", "nothing"]) == 2
    assert "nothing" in capsys.readouterr().err


def test_real_photographs(tmp_path: Path) -> None:
    """The first twelve pictures, so that it does not take long; faces of 60 px and more are easily found."""
    if not (REAL / "faces" / "gt.txt").exists():
        pytest.skip(f"{REAL / 'faces'} is not there")
    models = ROOT / "data" / "models"
    if not all(store.is_there(file, models) for file in manifest.load("mtcnn").files):
        pytest.skip("the model mtcnn is not there: python -m checkpoints.fetch mtcnn")
    words = ["detect", "--data", str(REAL / "faces"), "--models", str(models), "--cache", str(tmp_path / "engines")]
    more = ["--precision", "fp32", "--min-face", "40", "--min-height", "60", "--limit", "12"]
    figures = _figures([*words, *more], tmp_path / "out.json")
    assert figures["images"] == 12
    assert isinstance(figures["ap"], float)
    assert figures["ap"] > 0.9
