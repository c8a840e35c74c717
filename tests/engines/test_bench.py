from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tqdm import tqdm

from checkpoints import manifest
from checkpoints.errors import SettingsError
from engines import bench
from engines.backends import BY_PREFERENCE, why_not
from engines.bench import FileSize, Row, main, table
from engines.lineup import chosen, net_name, shapes, sizes
from engines.models import detector_model
from engines.options import EngineOptions
from tests.engines.planted_cascade import planted_cascade


class Still:
    """Does nothing."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.input_shape = shape
        self.input = np.zeros(shape, np.uint8)

    def run(self) -> tuple[()]:
        return ()

    def close(self) -> None: ...


def _row(net: str, backend: str, precision: str, ms: float | None, reason: str | None = None) -> Row:
    return Row(net, (24, 24), 64, backend, precision, ms, 10, reason)


def test_the_table_tells_how_much_faster_than_fp32_of_the_same_runtime() -> None:
    rows = [
        _row("rnet", "openvino", "int8", 1.0),
        _row("rnet", "openvino", "fp32", 2.5),
        _row("rnet", "onnx", "int8", None, "there is no INT8 file"),
        _row("rnet", "onnx", "fp32", 3.0),
        _row("rnet", "tensorrt", "fp32", None, "no GPU"),
    ]
    lines = table(rows, [FileSize("rnet", 400_000, 100_000, 4.0), FileSize("onet", 1_600_000, None, None)]).splitlines()
    plain = [" ".join(line.split()) for line in lines]
    assert plain[0] == "net size batch openvino int8 openvino fp32 onnx int8 onnx fp32 tensorrt fp32"
    assert plain[1] == "rnet 24×24 64 1.00 ( 2.5×) 2.50 – 3.00 –"
    assert plain[4:6] == ["rnet 0.40 0.10 4.0×", "onet 1.60 – –"]
    assert lines[-1] == "tensorrt: no GPU"


def test_pnet_is_measured_on_the_canvases_of_two_sizes_of_pictures() -> None:
    mtcnn = manifest.load("mtcnn_reference")
    pnet, rnet, onet = mtcnn.files
    small, large = sizes(mtcnn, pnet)
    assert small[0] * small[1] * 3 < large[0] * large[1]
    assert [(shape.size_wh, shape.batch) for shape in shapes(mtcnn, pnet, None)] == [(small, 1), (large, 1)]
    assert [(shape.size_wh, shape.batch) for shape in shapes(mtcnn, rnet, None)] == [((24, 24), 64)]
    assert [(shape.size_wh, shape.batch) for shape in shapes(mtcnn, onet, None)] == [((48, 48), 32)]
    assert [shape.batch for shape in shapes(mtcnn, onet, (2, 5))] == [2, 5]


def test_embedders_are_measured_alone_and_in_batches() -> None:
    sface = manifest.load("sface")
    assert [(shape.title, shape.batch) for shape in shapes(sface, sface.files[0], None)] == [
        ("sface", 1),
        ("sface", 4),
        ("sface", 8),
    ]


def test_a_net_is_named_after_its_model_and_part(options: EngineOptions, model: Callable[[str], str]) -> None:
    model("mtcnn")
    model("sface")
    named = [net_name(*net) for net in chosen(["sface", "mtcnn_onet"], options.models)]
    assert named == ["mtcnn_onet", "sface"]
    assert [net_name(*net) for net in chosen(["mtcnn"], options.models)] == ["mtcnn_pnet", "mtcnn_rnet", "mtcnn_onet"]
    assert {"mtcnn_pnet", "sface"} <= {net_name(*net) for net in chosen(None, options.models)}


def test_a_short_run(
    options: EngineOptions, model: Callable[[str], str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every runtime that works here gives a figure in fp32."""
    model("mtcnn_reference")
    out = tmp_path / "bench.json"
    words = [
        "--nets",
        "mtcnn_reference_rnet",
        "--batches",
        "2",
        "--precisions",
        "fp32",
        "--seconds",
        "0",
        "--json",
        str(out),
    ]
    assert main([*words, "--models", str(options.models), "--cache", str(options.cache)]) == 0
    figures = json.loads(out.read_text())
    rows = {row["backend"]: row for row in figures["rows"]}
    assert set(rows) == {name for name in BY_PREFERENCE if why_not(name) is None}
    assert "openvino" in rows
    for backend in rows:
        assert rows[backend]["ms"] > 0
        assert rows[backend]["runs"] == 5
        assert (rows[backend]["net"], rows[backend]["batch"], rows[backend]["size_wh"]) == (
            "mtcnn_reference_rnet",
            2,
            [24, 24],
        )
    assert figures["files"][0]["fp32_bytes"] > 100_000
    assert "mtcnn_reference_rnet" in capsys.readouterr().out


def test_what_cannot_be_measured_ends_with_2(
    options: EngineOptions, model: Callable[[str], str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--models", str(tmp_path), "--nets", "sface"]) == 2
    assert "checkpoints.fetch" in capsys.readouterr().err
    model("mtcnn")
    assert main(["--models", str(options.models), "--nets", "mtcn"]) == 2
    said = capsys.readouterr().err
    assert "mtcn" in said
    assert "mtcnn_pnet" in said


def test_figures_that_cannot_be_saved_are_told(
    options: EngineOptions, model: Callable[[str], str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model("mtcnn")
    words = ["--nets", "mtcnn_reference_rnet", "--batches", "2", "--backends", "openvino", "--precisions", "fp32"]
    folders = ["--models", str(options.models), "--cache", str(options.cache)]
    assert main([*words, *folders, "--seconds", "0", "--json", str(tmp_path / "no" / "out.json")]) == 2
    assert "cannot be written" in capsys.readouterr().err


def test_the_reason_for_a_missing_int8_file_is_kept(options: EngineOptions) -> None:
    sface = manifest.load("sface")
    file = replace(sface.files[0], int8=None)
    shape = next(shapes(sface, file, (1,)))
    with tqdm(disable=True) as bar:
        (row,) = bench.measure(shape, [replace(options, precision="int8", backend="openvino")], 0, bar)
    assert (row.ms, row.runs, row.reason) == (None, 0, "there is no INT8 file")


def test_a_file_that_rounds_itself_is_measured_in_int8_too(
    options: EngineOptions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And its size is that of an INT8 file."""
    model = detector_model(replace(options, detector=str(planted_cascade(tmp_path))))
    shape = next(shapes(model.known, model.known.file("rnet"), (2,)))
    choices = [replace(options, precision=p, backend="openvino", models=tmp_path) for p in ("int8", "fp32")]  # type: ignore[arg-type]
    with tqdm(disable=True) as bar:
        rows = bench.measure(shape, choices, 0, bar)
    assert [row.reason for row in rows] == [None, None]
    size = bench.file_size(model.known, model.known.file("rnet"), tmp_path)
    assert size == FileSize("bright_rnet", None, (tmp_path / "bright_rnet.onnx").stat().st_size, None)
    assert table(rows, [size]).splitlines()[-1].split() == ["bright_rnet", "–", "0.00", "–"]


def test_a_runtime_that_does_not_work_here_is_told_and_the_others_are_measured(
    options: EngineOptions, model: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    model("sface")

    def opener(config: EngineOptions) -> object:
        if config.backend == "tensorrt":
            raise SettingsError("There is no GPU.")
        return lambda spec: Still(spec.input_shape)

    monkeypatch.setattr(bench, "opener", opener)
    sface = manifest.load("sface")
    shape = next(shapes(sface, sface.files[0], (2,)))
    choices = [replace(options, backend=backend) for backend in ("tensorrt", "onnx")]  # type: ignore[arg-type]
    with tqdm(disable=True) as bar:
        none, one = bench.measure(shape, choices, 0, bar)
    assert (none.ms, none.reason) == (None, "There is no GPU.")
    assert one.reason is None
    assert one.runs == 5
