"""INT8 twins against the fp32 files that they are made from, on the program's own portrait."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from checkpoints import manifest, portrait, store
from engines.align import align
from engines.load import load_detector, load_embedder
from engines.options import EngineOptions, Precision

EMBEDDERS = ("dlib", "facenet", "sface")


@pytest.fixture(scope="module")
def twin(model: Callable[[str], str]) -> Callable[[str], str]:
    """Skips a test whose INT8 files are not there."""

    def need(name: str) -> str:
        model(name)
        for file in manifest.load(name).files:
            if file.int8 is not None and not store.is_there(file.int8, store.DEFAULT_MODELS):
                pytest.skip(f"{file.int8.name} is not there: python -m checkpoints.fetch {name}")
        return name

    return need


def embedding(options: EngineOptions, name: str, precision: Precision) -> NDArray[np.float32]:
    """Of the face and of its mirror image, which a network takes for another picture of the same person."""
    embedder = load_embedder(replace(options, embedder=name, precision=precision), batch=1)
    crop = align(portrait.portrait(), portrait.LANDMARKS[None], embedder.crop)
    vectors = embedder.embed(np.concatenate([crop, crop[:, :, ::-1]])).copy()
    embedder.close()
    return vectors


@pytest.mark.parametrize("name", EMBEDDERS)
def test_an_int8_embedder_says_what_fp32_says(name: str, options: EngineOptions, twin: Callable[[str], str]) -> None:
    """FaceNet comes out with a cosine of 0.7 where OpenVINO loses the scales of its joined maps."""
    exact, rounded = (embedding(options, twin(name), precision) for precision in ("fp32", "int8"))
    likeness = np.sum(exact * rounded, axis=1)
    assert np.all(likeness > 0.985)
    assert np.all(likeness < 0.9999999)  # int8 it is


def test_an_int8_cascade_finds_the_same_face(options: EngineOptions, twin: Callable[[str], str]) -> None:
    found = []
    for precision in ("fp32", "int8"):
        config = replace(options, detector=twin("mtcnn"), precision=precision)
        detector = load_detector(config, size_wh=(512, 512))
        found.append(detector.detect([portrait.portrait()])[0])
        detector.close()
    exact, rounded = found
    assert len(rounded) == len(exact)
    side = exact.boxes_xyxy[0, 2] - exact.boxes_xyxy[0, 0]
    assert np.abs(exact.boxes_xyxy[0] - rounded.boxes_xyxy[0]).max() < 0.08 * side
    assert np.abs(exact.landmarks[0] - rounded.landmarks[0]).max() < 0.08 * side
    assert np.abs(exact.boxes_xyxy[0] - rounded.boxes_xyxy[0]).max() > 0
