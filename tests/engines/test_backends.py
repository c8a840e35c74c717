from __future__ import annotations

from typing import get_args

import pytest

from checkpoints.errors import SettingsError
from engines import backends
from engines.backends import BY_PREFERENCE, Runtime, choose, why_not
from engines.options import Backend
from tests.engines.runtimes import fake_machine


def _only(monkeypatch: pytest.MonkeyPatch, *usable: Runtime) -> None:
    monkeypatch.setattr(backends, "why_not", lambda name: None if name in usable else f"no {name} here")


def test_every_runtime_can_be_asked_for_by_name() -> None:
    assert set(get_args(Backend)) == {"auto", *BY_PREFERENCE}


@pytest.mark.parametrize(
    ("usable", "chosen"),
    [
        (("tensorrt", "openvino", "onnx"), "tensorrt"),
        (("openvino", "onnx"), "openvino"),
        (("onnx",), "onnx"),
    ],
)
def test_auto_takes_the_best_that_there_is(
    monkeypatch: pytest.MonkeyPatch, usable: tuple[Runtime, ...], chosen: str
) -> None:
    _only(monkeypatch, *usable)
    assert choose("auto") == chosen


def test_a_named_one_is_taken_or_refused_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    _only(monkeypatch, "openvino", "onnx")
    assert choose("onnx") == "onnx"
    with pytest.raises(SettingsError, match="by tensorrt here") as caught:
        choose("tensorrt")
    assert caught.value.saw == "no tensorrt here"
    assert caught.value.fix == "Valid here: auto, openvino, onnx."


def test_a_machine_with_none_is_told_all_reasons(monkeypatch: pytest.MonkeyPatch) -> None:
    _only(monkeypatch)
    with pytest.raises(SettingsError) as caught:
        choose("auto")
    assert str(caught.value.saw).splitlines() == [f"{name}: no {name} here" for name in BY_PREFERENCE]


def test_on_a_machine_with_a_gpu_auto_is_tensorrt() -> None:
    with fake_machine("10.3.0", "cuda.bindings"):
        assert choose("auto") == "tensorrt"


def test_openvino_is_always_there() -> None:
    assert why_not("openvino") is None
