from __future__ import annotations

from dataclasses import replace

import pytest

from engines.options import EngineOptions
from pipeline.config import CameraConfig, RunConfig
from pipeline.fallback import without_card

CONFIG = RunConfig((CameraConfig("door", "rtsp://door", "rtsp://door", live=True),))


def test_a_card_that_fails_again_and_again_is_left_alone() -> None:
    pytest.importorskip("openvino")
    found = without_card(CONFIG, ["detect"], lambda _: "tensorrt")
    assert found == replace(CONFIG, engines=EngineOptions(backend="openvino"))
    assert without_card(CONFIG, ["detect", "align", "recognise"], lambda _: "tensorrt") is not None


def test_whoever_asked_for_the_card_gets_nothing_else() -> None:
    chosen = replace(CONFIG, engines=EngineOptions(backend="tensorrt"))
    assert without_card(chosen, ["detect"], lambda _: "tensorrt") is None


def test_a_stage_that_does_not_use_it_did_not_die_of_it() -> None:
    assert without_card(CONFIG, ["draw"], lambda _: "tensorrt") is None
    assert without_card(CONFIG, ["detect"], lambda _: "openvino") is None
