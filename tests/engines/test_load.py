from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from checkpoints.errors import ModelError, SettingsError
from engines.load import crop_spec, load_detector, load_embedder
from engines.options import EngineOptions


def test_an_unknown_model_is_refused_with_those_that_exist(options: EngineOptions) -> None:
    with pytest.raises(ModelError, match="mtcnn"):
        load_detector(replace(options, detector="mtcn"), size_wh=(640, 360))
    with pytest.raises(ModelError, match="sface, facenet"):
        load_embedder(replace(options, embedder="yunet"))
    with pytest.raises(ModelError, match="sface, facenet"):
        crop_spec("arcface")


@pytest.mark.parametrize("backend", ["tensorrt", "onnx"])
def test_a_backend_that_is_not_there_yet_is_refused(
    backend: str, options: EngineOptions, model: Callable[[str], str]
) -> None:
    model("mtcnn")
    with pytest.raises(SettingsError, match="auto, openvino"):
        load_detector(replace(options, backend=backend), size_wh=(640, 360))  # type: ignore[arg-type]


def test_int8_is_refused_until_there_is_a_file(options: EngineOptions) -> None:
    for load in (lambda o: load_detector(o, size_wh=(640, 360)), load_embedder):
        with pytest.raises(ModelError, match="fp16, fp32") as caught:
            load(replace(options, precision="int8"))
        assert "INT8" in str(caught.value)


def test_a_missing_file_is_said_with_the_way_to_get_it(options: EngineOptions, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="checkpoints.fetch mtcnn"):
        load_detector(replace(options, models=tmp_path), size_wh=(640, 360))


def test_who_only_aligns_loads_no_runtime() -> None:
    code = (
        "import sys; from engines.load import crop_spec; from engines.align import align; "
        "from engines.quality import quality; crop_spec('sface'); "
        "sys.exit([name for name in ('openvino', 'tensorrt', 'onnxruntime') if name in sys.modules] or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
