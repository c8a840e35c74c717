"""The whole program with other models, precisions and runtimes than the default ones."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app import settings
from checkpoints import manifest, store
from checkpoints.portrait import PERSON

MODELS = settings.ROOT / "data" / "models"
ReadEvents = Callable[[Path], list[dict[str, Any]]]


def needs(name: str) -> None:
    files = [twin for file in manifest.load(name).files for twin in (file, file.int8) if twin is not None]
    if not all(store.is_there(file, MODELS) for file in files):
        pytest.skip(f"the model {name} is not there: run `python -m checkpoints.fetch {name}`")


@pytest.mark.parametrize(
    ("models", "flags"),
    [
        (["yunet", "sface"], ["--detector", "yunet"]),
        (["mtcnn", "facenet"], ["--embedder", "facenet", "--precision", "int8"]),
        (["mtcnn", "dlib"], ["--embedder", "dlib"]),
        (["mtcnn", "sface"], ["--precision", "int8"]),
        (["mtcnn", "sface"], ["--precision", "fp32", "--backend", "onnx"]),
        (["mtcnn", "sface"], ["--detect-every", "1"]),
    ],
    ids=lambda words: " ".join(words),
)
def test_the_demo_is_recognised(
    program: Any, tmp_path: Path, read_events: ReadEvents, models: list[str], flags: list[str]
) -> None:
    for name in models:
        needs(name)
    if "onnx" in flags and importlib.util.find_spec("onnxruntime") is None:
        pytest.skip("onnxruntime is not installed")
    events = tmp_path / "e.jsonl"
    ended = program.run("--source", "demo", "--frames", 40, "--events", events, *flags)
    assert ended.code == 0, ended.said
    assert f"recognised: {PERSON}" in ended.said
    told = [event for event in read_events(events) if event["type"] == "identity"]
    assert PERSON in {event["name"] for event in told}
    assert {event["embedding_space"] for event in told} == {manifest.load(models[1]).embedding_space}
