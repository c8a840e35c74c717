from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from checkpoints import manifest
from engines.spec import EngineSpec, engine_spec

FILES = {part: Path(f"{part}.onnx") for part in ("pnet", "rnet", "onet")}


def _spec(part: str = "onet", size_wh: tuple[int, int] | None = None) -> EngineSpec:
    known = manifest.load("mtcnn_reference")
    return engine_spec(
        known,
        FILES,
        part,
        ("scores", "boxes"),
        batch=4,
        size_wh=size_wh,
        log_odds=("scores",),
        precision="fp32",
        threads=1,
    )


def test_a_spec_says_what_the_manifest_says() -> None:
    spec, known = _spec(), manifest.load("mtcnn_reference").file("onet")
    assert spec.input_shape == (4, 48, 48, 3)
    assert spec.outputs == (known.outputs["scores"], known.outputs["boxes"])
    assert spec.log_odds == (known.outputs["scores"],)
    assert (spec.name, spec.sha256, spec.input, spec.mean[0]) == (
        "mtcnn_reference_onet",
        known.sha256,
        known.input,
        127.5,
    )


def test_a_model_of_any_size_needs_one() -> None:
    assert _spec("pnet", (320, 200)).input_shape == (4, 200, 320, 3)
    with pytest.raises(ValueError, match="give one"):
        _spec("pnet")


def test_the_key_tells_everything_apart_that_matters() -> None:
    spec = _spec()
    assert spec.key(runtime="a") == _spec().key(runtime="a")
    assert spec.key(runtime="a") == replace(spec, model=Path("elsewhere.onnx")).key(runtime="a")
    changed = [
        {"batch": 5},
        {"mean": 0.0},
        {"outputs": ("x",)},
        {"log_odds": ()},
        {"precision": "fp16"},
        {"threads": 2},
    ]
    keys = {replace(spec, **change).key(runtime="a") for change in changed}  # type: ignore[arg-type]
    assert len(keys | {spec.key(runtime="a"), spec.key(runtime="b")}) == len(changed) + 2
