from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from checkpoints import manifest
from checkpoints.errors import ModelError
from engines import drift, gate
from engines.load import load_detector, load_embedder
from engines.models import Model, detector_model
from engines.options import EngineOptions


@dataclass
class Measurement:
    """What compares, and writes down with what."""

    good: bool = True
    asked: list[EngineOptions] = field(default_factory=list)

    def __call__(self, reference: EngineOptions) -> gate.Drift:
        self.asked.append(reference)
        return drift.EmbedderDrift(1.0, 1.0) if self.good else drift.EmbedderDrift(0.1, 0.2)


@pytest.fixture
def sface() -> Model:
    return Model(manifest.load("sface"), Path("nowhere"))


@pytest.fixture
def half(tmp_path: Path) -> EngineOptions:
    return EngineOptions(precision="fp16", cache=tmp_path / "engines")


def test_what_has_passed_once_is_not_compared_again(sface: Model, half: EngineOptions) -> None:
    measured = Measurement()
    for _ in range(2):
        gate.ensure(sface, half, measured)
    assert len(measured.asked) == 1
    assert (measured.asked[0].precision, measured.asked[0].backend) == ("fp32", "openvino")
    assert measured.asked[0].cache != half.cache
    assert not measured.asked[0].cache.exists()


def test_what_is_off_is_refused_every_time(sface: Model, half: EngineOptions) -> None:
    measured = Measurement(good=False)
    for _ in range(2):
        with pytest.raises(ModelError, match=r"SFace.*\(fp16, openvino\)") as caught:
            gate.ensure(sface, half, measured)
        assert "0.2" in str(caught.value.saw)
    assert len(measured.asked) == 2


def test_another_precision_backend_or_file_is_compared_anew(sface: Model, half: EngineOptions) -> None:
    measured = Measurement()
    gate.ensure(sface, half, measured)
    gate.ensure(sface, replace(half, precision="int8"), measured)
    gate.ensure(sface, replace(half, backend="onnx"), measured)
    file = replace(sface.known.files[0], sha256="1" * 64)
    gate.ensure(replace(sface, known=replace(sface.known, files=(file,))), half, measured)
    assert len(measured.asked) == 4


def test_fp32_is_what_others_are_compared_with(sface: Model, half: EngineOptions) -> None:
    measured = Measurement()
    gate.ensure(sface, replace(half, precision="fp32"), measured)
    assert not measured.asked
    gate.ensure(sface, replace(half, precision="fp32", backend="onnx"), measured)
    assert len(measured.asked) == 1


def test_a_cache_that_cannot_be_written_only_costs_time(sface: Model, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    measured = Measurement()
    for _ in range(2):
        gate.ensure(sface, EngineOptions(precision="fp16", cache=tmp_path / "file" / "engines"), measured)
    assert len(measured.asked) == 2


def test_the_real_ones_pass_and_leave_their_figures(
    options: EngineOptions, model: Callable[[str], str], tmp_path: Path
) -> None:
    model("mtcnn")
    model("sface")
    half = replace(options, precision="fp16", cache=tmp_path)
    load_detector(half, size_wh=(320, 180)).close()
    load_embedder(half, batch=1).close()
    told = {path.name.split("-")[0]: path.read_text() for path in tmp_path.glob("*.agrees")}
    assert told.keys() == {"mtcnn", "sface"}
    assert "8 faces, 0 not found by both" in told["mtcnn"]
    assert detector_model(half).known.name == "mtcnn"
