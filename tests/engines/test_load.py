from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from checkpoints.errors import ModelError
from engines.engine import Engine
from engines.load import crop_spec, load_detector, load_embedder, opener
from engines.options import EngineOptions
from engines.spec import EngineSpec


def test_an_unknown_model_is_refused_with_those_that_exist(options: EngineOptions) -> None:
    with pytest.raises(ModelError, match="mtcnn, mtcnn_reference, yunet"):
        load_detector(replace(options, detector="mtcn"), size_wh=(640, 360))
    with pytest.raises(ModelError, match="facenet.*, sface"):
        load_embedder(replace(options, embedder="yunet"))
    with pytest.raises(ModelError, match="facenet.*, sface"):
        crop_spec(EngineOptions(embedder="arcface"))


def test_a_missing_file_is_said_with_the_way_to_get_it(options: EngineOptions, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="checkpoints.fetch mtcnn_reference"):
        load_detector(replace(options, detector="mtcnn_reference", models=tmp_path), size_wh=(640, 360))


def test_who_only_aligns_loads_no_runtime() -> None:
    code = (
        "import sys; from engines.load import crop_spec; from engines.options import EngineOptions; "
        "from engines.align import align; from engines.quality import quality; crop_spec(EngineOptions()); "
        "sys.exit([name for name in ('openvino', 'tensorrt', 'onnxruntime') if name in sys.modules] or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_cascade_whose_outputs_are_exchanged_is_refused(options: EngineOptions, model: Callable[[str], str]) -> None:
    model("mtcnn")
    open_engine = opener(options)

    def exchanged(spec: EngineSpec) -> Engine:
        if spec.name == "mtcnn_onet":
            spec = replace(spec, outputs=(spec.outputs[0], spec.outputs[2], spec.outputs[1]))
        return open_engine(spec)

    with pytest.raises(ModelError, match="mtcnn_onet does not give what its manifest says") as caught:
        load_detector(options, size_wh=(320, 180), open_engine=exchanged)
    assert "(1, 10, 4)" in str(caught.value.saw)
