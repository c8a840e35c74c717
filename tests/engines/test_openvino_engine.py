from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Callable
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from checkpoints import manifest, store
from checkpoints.errors import ModelError
from checkpoints.manifest import Layout
from engines.models import detector_model, embedder_model
from engines.openvino_engine import hint, is_cached, open_engine
from engines.options import EngineOptions
from engines.spec import EngineSpec
from tests.engines.small_nets import small_net, spec_of


@pytest.fixture
def rnet(options: EngineOptions, model: Callable[[str], str]) -> EngineSpec:
    model("mtcnn_reference")
    return _part(options, "rnet", 4)


def _part(options: EngineOptions, part: str, batch: int) -> EngineSpec:
    return detector_model(replace(options, detector="mtcnn_reference")).spec(
        options, part, ("scores", "boxes"), batch=batch, log_odds=("scores",)
    )


def _noise(spec: EngineSpec) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, spec.input_shape, np.uint8)


def _once(spec: EngineSpec, cache: Path) -> list[NDArray[np.float32]]:
    engine = open_engine(spec, cache)
    outputs = [output.copy() for output in engine.run(_noise(spec))]
    engine.close()
    return outputs


def _only_file(cache: Path) -> Path:
    (path,) = cache.iterdir()
    return path


def test_colours_and_scale_are_as_the_model_wants_them(rnet: EngineSpec, tmp_path: Path) -> None:
    """Checked without the preparation: the model file run by OpenVINO on values prepared here."""
    import openvino as ov

    core = ov.Core()
    network = core.read_model(rnet.model)
    network.reshape({rnet.input: rnet.input_shape})
    settings = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1}
    plain = core.compile_model(network, "CPU", settings)
    values = (_noise(rnet)[..., ::-1].astype(np.float32) - 127.5) / 128
    expected = plain(values)
    odds, offsets = _once(rnet, tmp_path)
    scores = expected[rnet.outputs[0]]
    np.testing.assert_allclose(odds[:, 0], np.log(scores[:, 1] / scores[:, 0]), rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(offsets, expected[rnet.outputs[1]], rtol=1e-3, atol=1e-4)


def test_from_the_cache_as_when_it_was_compiled(rnet: EngineSpec, tmp_path: Path) -> None:
    assert not is_cached(rnet, tmp_path)
    compiled = _once(rnet, tmp_path)
    assert is_cached(rnet, tmp_path)
    before = _only_file(tmp_path).stat()
    for one, other in zip(_once(rnet, tmp_path), compiled, strict=True):
        np.testing.assert_array_equal(one, other)
    assert _only_file(tmp_path).stat().st_mtime_ns == before.st_mtime_ns


@pytest.mark.parametrize("change", [{"batch": 2}, {"precision": "fp16"}, {"threads": 2}, {"sha256": "0" * 64}])
def test_another_engine_is_another_file(rnet: EngineSpec, tmp_path: Path, change: dict[str, object]) -> None:
    open_engine(rnet, tmp_path).close()
    assert not is_cached(replace(rnet, **change), tmp_path)  # type: ignore[arg-type]


def test_the_place_of_the_model_makes_no_difference(rnet: EngineSpec, tmp_path: Path) -> None:
    open_engine(rnet, tmp_path / "cache").close()
    copy = tmp_path / "copy.onnx"
    shutil.copyfile(rnet.model, copy)
    assert is_cached(replace(rnet, model=copy), tmp_path / "cache")


@pytest.mark.parametrize("damage", ["cut", "byte", "foreign", "not a network"])
def test_a_damaged_cache_is_built_again_and_said_so(
    rnet: EngineSpec, tmp_path: Path, caplog: pytest.LogCaptureFixture, damage: str
) -> None:
    from engines import blob

    compiled = _once(rnet, tmp_path)
    path = _only_file(tmp_path)
    content = path.read_bytes()
    key = json.loads(content[: blob.HEADER_BYTES])["key"]
    if damage == "cut":
        path.write_bytes(content[: len(content) // 2])
    elif damage == "byte":
        path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    elif damage == "foreign":
        blob.write_blob(path, "another key", content[blob.HEADER_BYTES :])
    else:
        blob.write_blob(path, key, b"whole, but no network" * 1000)
    with caplog.at_level(logging.WARNING):
        again = _once(rnet, tmp_path)
    assert [record.message.split(" ", 3)[:3] for record in caplog.records] == [["The", "cached", "engine"]]
    assert str(path) in caplog.text
    for one, other in zip(again, compiled, strict=True):
        np.testing.assert_array_equal(one, other)
    caplog.clear()
    _once(rnet, tmp_path)
    assert not caplog.records


def test_without_a_cache_it_works_and_is_said(
    rnet: EngineSpec, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_bytes(b"")
    with caplog.at_level(logging.WARNING):
        outputs = _once(rnet, in_the_way / "cache")
    assert "could not be cached" in caplog.text
    assert outputs[0].any()


def test_a_file_that_is_no_network_is_a_clear_error(rnet: EngineSpec, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.onnx"
    wrong.write_bytes(b"not a network")
    with pytest.raises(ModelError) as caught:
        open_engine(replace(rnet, model=wrong, sha256=store.sha256_of(wrong)), tmp_path / "cache")
    assert str(wrong) in str(caught.value)


def test_a_model_without_the_softmax_is_a_clear_error(rnet: EngineSpec, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="softmax"):
        open_engine(replace(rnet, log_odds=rnet.outputs[1:]), tmp_path)


def test_two_processes_may_build_the_same_engine_at_once(rnet: EngineSpec, tmp_path: Path) -> None:
    spawn = get_context("spawn")
    builders = [spawn.Process(target=open_engine, args=(rnet, tmp_path)) for _ in range(2)]
    for builder in builders:
        builder.start()
    for builder in builders:
        builder.join()
        assert builder.exitcode == 0
    assert is_cached(rnet, tmp_path)
    assert _only_file(tmp_path).suffix == ".openvino"


@pytest.mark.parametrize(("part", "batch"), [("rnet", 8), ("onet", 4)])
@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_a_result_does_not_depend_on_its_place_in_the_batch(
    options: EngineOptions, model: Callable[[str], str], part: str, batch: int, precision: str
) -> None:
    model("mtcnn_reference")
    spec = _part(replace(options, precision=precision), part, batch)  # type: ignore[arg-type]
    engine = open_engine(spec, options.cache)
    pictures = _noise(spec)
    straight = [output.copy() for output in engine.run(pictures)]
    turned = [output.copy() for output in engine.run(np.roll(pictures, 3, axis=0))]
    for one, other in zip(straight, turned, strict=True):
        np.testing.assert_array_equal(np.roll(one, 3, axis=0), other)
    engine.close()


def test_precision_is_never_left_to_the_runtime() -> None:
    assert hint("fp32") == "f32"
    assert hint("fp16") in ("bf16", "f16", "f32")


def test_a_processor_without_16_bit_says_so_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from engines import openvino_engine

    class OldProcessor:
        def get_property(self, device: str, name: str) -> list[str]:
            return ["FP32", "INT8"]

    monkeypatch.setattr(openvino_engine, "_core", OldProcessor)
    openvino_engine._say_once.cache_clear()
    with caplog.at_level(logging.WARNING):
        assert [hint("fp16"), hint("fp16"), hint("fp32")] == ["f32"] * 3
    assert len(caplog.records) == 1


def test_channels_first_models_take_the_same_pictures(
    options: EngineOptions, model: Callable[[str], str], tmp_path: Path
) -> None:
    """SFace wants (N, 3, H, W), red first: blue and red exchanged must make another vector, the same again the same."""
    config = replace(options, embedder=model("sface"))
    spec = embedder_model(config).spec(config, "net", ("embedding",))
    assert spec.layout == "NCHW"
    picture = _noise(spec)
    engine = open_engine(spec, options.cache)
    vector = engine.run(picture)[0].copy()
    assert not np.allclose(engine.run(picture[..., ::-1].copy())[0], vector)
    np.testing.assert_array_equal(engine.run(picture)[0], vector)
    known = manifest.load("sface")
    assert spec.model == store.locate(known, options.models)["net"]
    engine.close()


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
@pytest.mark.parametrize("mean", [(0.0, 0.0, 0.0), (127.5, 127.5, 127.5), (123.7, 116.3, 103.5)])
def test_the_first_convolution_of_an_int8_network_runs_in_int8(
    tmp_path: Path, layout: Layout, mean: tuple[float, float, float]
) -> None:
    """The normalisation before its quantisation must not get between them."""
    from engines import openvino_engine

    if "INT8" not in openvino_engine._core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        pytest.skip("this processor has no int8 arithmetic for networks")
    network = small_net(layout, quantise=True).network()
    spec = spec_of(network, tmp_path, layout=layout, mean=mean, precision="int8")
    engine = open_engine(spec, tmp_path)
    layers = [layer.get_rt_info() for layer in engine._compiled.get_runtime_model().get_ordered_ops()]
    first = next(layer for layer in layers if layer["layerType"].astype(str) == "Convolution")
    assert first["runtimePrecision"].astype(str) in ("u8", "i8")
    engine.close()


def test_what_openvino_refuses_is_told_in_its_words_and_not_by_its_source(tmp_path: Path) -> None:
    network = small_net().network()
    network.nodes[0].op = "Konvolution"
    with pytest.raises(ModelError) as caught:
        open_engine(spec_of(network, tmp_path), tmp_path)
    assert "Konvolution" in str(caught.value)
    assert "src/" not in str(caught.value)
