from __future__ import annotations

import logging
import sys
from pathlib import Path

import numpy as np
import pytest

from engines import onnx_engine
from tests.engines.small_nets import small_net, spec_of

pytest.importorskip("onnxruntime")


def test_fp16_is_fp32_there_and_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    onnx_engine._say_once.cache_clear()
    spec = spec_of(small_net().network(), tmp_path, precision="fp16")
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            onnx_engine.open_engine(spec, tmp_path).close()
    (record,) = caplog.records
    assert "fp32 is used" in record.getMessage()


def test_int8_files_are_rewritten_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As they are they are slower than fp32."""
    rewritten = []

    def spy(network: object, *, cuts_off: bool) -> object:
        rewritten.append(network)
        return network

    monkeypatch.setattr(onnx_engine, "for_onnx_runtime", spy)
    onnx_engine.open_engine(spec_of(small_net().network(), tmp_path), tmp_path).close()
    assert not rewritten
    spec = spec_of(small_net(quantise=True).network(), tmp_path, precision="int8")
    onnx_engine.open_engine(spec, tmp_path).close()
    assert len(rewritten) == 1


def test_nothing_is_put_into_the_cache(tmp_path: Path) -> None:
    spec = spec_of(small_net().network(), tmp_path)
    onnx_engine.open_engine(spec, tmp_path / "cache").close()
    assert not (tmp_path / "cache").exists()
    assert onnx_engine.is_cached(spec, tmp_path / "cache")


def test_it_takes_the_threads_that_it_is_given(tmp_path: Path) -> None:
    engine = onnx_engine.open_engine(spec_of(small_net().network(), tmp_path), tmp_path)
    settings = engine._session.get_session_options()
    assert (settings.intra_op_num_threads, settings.inter_op_num_threads) == (1, 1)
    assert settings.get_session_config_entry("session.intra_op.allow_spinning") == "0"
    engine.close()


def test_nothing_is_allocated_in_a_run(tmp_path: Path) -> None:
    engine = onnx_engine.open_engine(spec_of(small_net().network(), tmp_path), tmp_path)
    places = [output.ctypes.data for output in engine.run()]
    engine.input[:] = 200
    assert [output.ctypes.data for output in engine.run()] == places
    assert all(np.isfinite(output).all() for output in engine.run())
    engine.close()


def test_why_it_cannot_be_used_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    assert onnx_engine.why_not() is None
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    assert "pip install -e .[onnx]" in str(onnx_engine.why_not())
