"""All runtimes answer alike: one suite over OpenVINO, ONNX Runtime and TensorRT (faked) of several versions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from checkpoints import manifest, onnx_file, store
from checkpoints.errors import ModelError
from checkpoints.manifest import Colour, Layout
from engines.options import EngineOptions
from engines.spec import EngineSpec, engine_spec
from tests.engines.runtimes import NAMES, RuntimeUnderTest, runtime_named
from tests.engines.small_nets import OUTPUTS, SmallNet, small_net, spec_of


@pytest.fixture(params=NAMES)
def runtime(request: pytest.FixtureRequest) -> Iterator[RuntimeUnderTest]:
    with runtime_named(request.param) as runtime:
        yield runtime


@pytest.fixture
def spec(tmp_path: Path) -> EngineSpec:
    return spec_of(small_net().network(), tmp_path)


def _noise(spec: EngineSpec, seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, spec.input_shape, np.uint8)


def _expected(net: SmallNet, spec: EngineSpec, pictures_bgr: NDArray[np.uint8]) -> list[NDArray[np.float64]]:
    values = pictures_bgr[..., ::-1] if spec.colour == "RGB" else pictures_bgr
    outputs = net.compute((values.astype(np.float64) - spec.mean) * spec.scale)
    return [outputs[name] for name in spec.outputs]


def _copies(outputs: tuple[NDArray[np.float32], ...]) -> list[NDArray[np.float32]]:
    return [output.copy() for output in outputs]


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
@pytest.mark.parametrize("colour", ["RGB", "BGR"])
@pytest.mark.parametrize(
    ("mean", "scale"),
    [
        ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0)),
        ((127.5, 127.5, 127.5), (1 / 128, 1 / 128, 1 / 128)),
        ((123.675, 116.28, 103.53), (0.0171, 0.0175, 0.0174)),
    ],
)
def test_the_numbers_are_those_of_plain_arithmetic(
    runtime: RuntimeUnderTest,
    tmp_path: Path,
    layout: Layout,
    colour: Colour,
    mean: tuple[float, float, float],
    scale: tuple[float, float, float],
) -> None:
    net = small_net(layout)
    spec = spec_of(net.network(), tmp_path, layout=layout, colour=colour, mean=mean, scale=scale)
    pictures = _noise(spec)
    engine = runtime.open(spec, tmp_path)
    largest = max(1.0, 255 * scale[0])
    for output, expected in zip(engine.run(pictures), _expected(net, spec, pictures), strict=True):
        np.testing.assert_allclose(output, expected, rtol=1e-4, atol=1e-5 * largest)


def test_shapes_and_names_are_as_asked_for(runtime: RuntimeUnderTest, spec: EngineSpec, tmp_path: Path) -> None:
    engine = runtime.open(spec, tmp_path)
    assert engine.input_shape == engine.input.shape == (2, 8, 10, 3)
    assert engine.input.dtype == np.uint8
    assert engine.output_names == OUTPUTS
    assert engine.output_shapes == ((2, 4, 8, 10), (2, 8, 10, 1), (2, 4))
    assert [output.dtype for output in engine.run()] == [np.float32] * 3


def test_only_the_wanted_outputs_come_in_the_wanted_order(
    runtime: RuntimeUnderTest, spec: EngineSpec, tmp_path: Path
) -> None:
    whole = _copies(runtime.open(spec, tmp_path).run(_noise(spec)))
    engine = runtime.open(replace(spec, outputs=("vector", "boxes"), log_odds=()), tmp_path)
    vector, boxes = engine.run(_noise(spec))
    np.testing.assert_allclose(vector, whole[2], rtol=1e-5)
    np.testing.assert_allclose(boxes, whole[0], rtol=1e-5)


def test_scores_without_log_odds_are_a_softmax(runtime: RuntimeUnderTest, spec: EngineSpec, tmp_path: Path) -> None:
    odds = _copies(runtime.open(spec, tmp_path).run(_noise(spec)))[1]
    scores = runtime.open(replace(spec, log_odds=()), tmp_path).run(_noise(spec))[1]
    assert scores.shape == (2, 8, 10, 2)
    np.testing.assert_allclose(scores[..., 1], 1 / (1 + np.exp(-odds[..., 0])), atol=1e-5)


def test_a_batch_that_is_handed_over_is_the_same_as_one_written_into_the_buffer(
    runtime: RuntimeUnderTest, spec: EngineSpec, tmp_path: Path
) -> None:
    engine = runtime.open(spec, tmp_path)
    handed = _copies(engine.run(_noise(spec)))
    engine.run(_noise(spec, 1))
    engine.input[:] = _noise(spec)
    for one, other in zip(engine.run(), handed, strict=True):
        np.testing.assert_array_equal(one, other)


def test_outputs_are_views_that_stay_until_the_next_run(
    runtime: RuntimeUnderTest, spec: EngineSpec, tmp_path: Path
) -> None:
    engine = runtime.open(spec, tmp_path)
    buffer = engine.input
    first = engine.run(_noise(spec))
    kept = _copies(first)
    engine.input[:] = 0
    for one, other in zip(first, kept, strict=True):
        np.testing.assert_array_equal(one, other)
    second = engine.run()
    assert all(one is other for one, other in zip(first, second, strict=True))
    assert engine.input is buffer
    assert not np.array_equal(kept[0], second[0])


def test_two_engines_do_not_share_buffers(runtime: RuntimeUnderTest, spec: EngineSpec, tmp_path: Path) -> None:
    one, other = runtime.open(spec, tmp_path), runtime.open(spec, tmp_path)
    answer = one.run(_noise(spec))
    kept = _copies(answer)
    other.run(_noise(spec, 1))
    np.testing.assert_array_equal(answer[0], kept[0])


@pytest.mark.parametrize("batch", [0, 1, 3])
def test_a_batch_of_another_size_is_refused(
    runtime: RuntimeUnderTest, spec: EngineSpec, tmp_path: Path, batch: int
) -> None:
    engine = runtime.open(spec, tmp_path)
    with pytest.raises(ValueError, match=r"takes pictures of shape \(2, 8, 10, 3\)"):
        engine.run(np.zeros((batch, 8, 10, 3), np.uint8))


@pytest.mark.parametrize("shape", [(2, 8, 10), (2, 10, 8, 3), (2, 8, 10, 1), (2, 8, 10, 4), (8, 10, 3)])
def test_pictures_of_another_shape_are_refused(
    runtime: RuntimeUnderTest, spec: EngineSpec, tmp_path: Path, shape: tuple[int, ...]
) -> None:
    engine = runtime.open(spec, tmp_path)
    with pytest.raises(ValueError, match="takes pictures of shape"):
        engine.run(np.zeros(shape, np.uint8))


@pytest.mark.parametrize("dtype", [np.float32, np.uint16, np.int8, np.bool_])
def test_pictures_of_another_type_are_refused(
    runtime: RuntimeUnderTest, spec: EngineSpec, tmp_path: Path, dtype: type[np.generic]
) -> None:
    engine = runtime.open(spec, tmp_path)
    with pytest.raises(TypeError, match="pictures are uint8"):
        engine.run(np.zeros(spec.input_shape, dtype))


def test_a_view_with_gaps_is_copied_rightly(runtime: RuntimeUnderTest, spec: EngineSpec, tmp_path: Path) -> None:
    engine = runtime.open(spec, tmp_path)
    straight = _copies(engine.run(_noise(spec)))
    wide = np.zeros((2, 16, 20, 3), np.uint8)
    wide[:, ::2, ::2] = _noise(spec)
    for one, other in zip(engine.run(wide[:, ::2, ::2]), straight, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
def test_an_int8_file_is_close_to_fp32(runtime: RuntimeUnderTest, tmp_path: Path, layout: Layout) -> None:
    net = small_net(layout, quantise=True)
    spec = spec_of(net.network(), tmp_path, layout=layout, precision="int8")
    engine = runtime.open(spec, tmp_path)
    pictures = _noise(spec)
    outputs = engine.run(pictures)
    boxes, odds, vector = _expected(net, spec, pictures)
    assert 0 < np.abs(outputs[0] - boxes).max() < 0.1
    assert np.abs(outputs[1] - odds).max() < 0.25
    assert np.abs(outputs[2] - vector).max() < 0.05


def test_fp16_is_close_to_fp32(runtime: RuntimeUnderTest, tmp_path: Path) -> None:
    net = small_net()
    spec = spec_of(net.network(), tmp_path, precision="fp16")
    pictures = _noise(spec)
    for output, expected in zip(
        runtime.open(spec, tmp_path).run(pictures), _expected(net, spec, pictures), strict=True
    ):
        np.testing.assert_allclose(output, expected, rtol=0.05, atol=0.05)


def test_closing_twice_is_closing_once(runtime: RuntimeUnderTest, spec: EngineSpec, tmp_path: Path) -> None:
    engine = runtime.open(spec, tmp_path)
    engine.run()
    engine.close()
    engine.close()


def test_a_closed_engine_says_so_and_leaves_what_it_gave(
    runtime: RuntimeUnderTest, spec: EngineSpec, tmp_path: Path
) -> None:
    engine = runtime.open(spec, tmp_path)
    answer = engine.run(_noise(spec))
    kept = _copies(answer)
    engine.close()
    with pytest.raises(ValueError, match="small_net is closed"):
        engine.run(_noise(spec))
    np.testing.assert_array_equal(answer[0], kept[0])


def test_what_was_built_is_cached(runtime: RuntimeUnderTest, spec: EngineSpec, tmp_path: Path) -> None:
    first = _copies(runtime.open(spec, tmp_path / "cache").run(_noise(spec)))
    assert runtime.is_cached(spec, tmp_path / "cache")
    second = runtime.open(spec, tmp_path / "cache").run(_noise(spec))
    np.testing.assert_array_equal(first[0], second[0])


def _write(spec: EngineSpec, content: bytes) -> EngineSpec:
    spec.model.write_bytes(content)
    return replace(spec, sha256=store.sha256_of(spec.model))


def _refused(runtime: RuntimeUnderTest, spec: EngineSpec, tmp_path: Path) -> str:
    with pytest.raises(ModelError) as caught:
        runtime.open(spec, tmp_path / "cache")
    assert str(spec.model) in str(caught.value) or spec.name in str(caught.value)
    assert caught.value.fix
    return str(caught.value)


@pytest.mark.parametrize("tensor", ["kernel", "bias", "head"])
def test_weights_that_are_not_numbers_are_named(runtime: RuntimeUnderTest, tmp_path: Path, tensor: str) -> None:
    network = small_net().network()
    weights = network.constants[tensor].copy()
    weights.flat[1] = np.nan
    network.constants[tensor] = weights
    told = _refused(runtime, spec_of(network, tmp_path), tmp_path)
    assert f"the tensor {tensor}" in told and "NaN" in told


@pytest.mark.parametrize("share", [0.0, 0.3, 0.6, 0.99])
def test_an_onnx_file_that_was_cut_is_refused(
    runtime: RuntimeUnderTest, spec: EngineSpec, tmp_path: Path, share: float
) -> None:
    whole = spec.model.read_bytes()
    _refused(runtime, _write(spec, whole[: int(len(whole) * share)]), tmp_path)


@pytest.mark.parametrize(
    "content",
    [
        b"#!/bin/sh\necho this is text\n",
        "Ein Text mit Umlauten: äöü\n".encode("latin-1") * 50,
        b"\x80\x02}q\x00." * 20,  # a pickle
        b"PK\x03\x04" + bytes(200),
        b"\x0a\x13\x0a\x05input\x12\x0bPlaceholder",  # a TensorFlow graph
    ],
    ids=["text", "latin", "pickle", "zip", "pb"],
)
def test_a_foreign_file_is_refused(runtime: RuntimeUnderTest, spec: EngineSpec, tmp_path: Path, content: bytes) -> None:
    _refused(runtime, _write(spec, content), tmp_path)


def test_a_file_that_is_not_there_is_said(runtime: RuntimeUnderTest, spec: EngineSpec, tmp_path: Path) -> None:
    spec.model.unlink()
    assert "cannot be read" in _refused(runtime, spec, tmp_path)


def test_a_manifest_that_lies_about_the_hash_is_found_out(
    runtime: RuntimeUnderTest, spec: EngineSpec, tmp_path: Path
) -> None:
    told = _refused(runtime, replace(spec, sha256="0" * 64), tmp_path)
    assert spec.sha256 in told and "0" * 64 in told


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"input": "photo"}, "picture; the manifest says photo"),
        ({"outputs": ("boxes", "scores", "landmarks")}, "landmarks is not among them"),
        ({"log_odds": ("boxes",)}, "boxes is not a softmax"),
        ({"layout": "NHWC"}, "is needed"),
    ],
)
def test_a_manifest_that_does_not_fit_the_file_is_told_how(
    runtime: RuntimeUnderTest, spec: EngineSpec, tmp_path: Path, wrong: dict[str, object], told: str
) -> None:
    assert told in _refused(runtime, replace(spec, **wrong), tmp_path)  # type: ignore[arg-type]


def test_a_network_for_single_pictures_does_not_take_a_batch(runtime: RuntimeUnderTest, tmp_path: Path) -> None:
    """A Reshape to (1, -1) makes one row of all pictures: no error in any runtime, and nonsense."""
    network = small_net().network()
    network.nodes = [node for node in network.nodes if node.op != "Flatten"]
    network.nodes.append(onnx_file.Node("Reshape", ["means", "one_row"], ["vector"]))
    network.constants["one_row"] = np.array([1, -1], np.int64)
    _refused(runtime, spec_of(network, tmp_path), tmp_path)


def test_layers_that_do_not_fit_together_are_refused(runtime: RuntimeUnderTest, tmp_path: Path) -> None:
    network = small_net().network()
    network.constants["head"] = np.zeros((2, 5, 1, 1), np.float32)
    _refused(runtime, spec_of(network, tmp_path), tmp_path)


@pytest.mark.parametrize(
    ("name", "part", "outputs", "log_odds", "size_wh"),
    [
        ("mtcnn_reference", "pnet", ("scores", "boxes"), ("scores",), (64, 48)),
        ("mtcnn_reference", "rnet", ("scores", "boxes"), ("scores",), None),
        ("mtcnn_reference", "onet", ("scores", "boxes", "landmarks"), ("scores",), None),
        ("sface", "net", ("embedding",), (), None),
        ("yunet", "net", ("cls_8", "obj_8", "bbox_8", "kps_8", "cls_32", "kps_32"), (), (96, 64)),
    ],
)
def test_real_models_answer_as_openvino_does(
    runtime: RuntimeUnderTest,
    options: EngineOptions,
    model: Callable[[str], str],
    tmp_path: Path,
    name: str,
    part: str,
    outputs: tuple[str, ...],
    log_odds: tuple[str, ...],
    size_wh: tuple[int, int] | None,
) -> None:
    from engines import openvino_engine

    known = manifest.load(model(name))
    files = store.locate(known, options.models)
    spec = engine_spec(
        known, files, part, outputs, batch=2, size_wh=size_wh, log_odds=log_odds, precision="fp32", threads=1
    )
    reference = openvino_engine.open_engine(spec, options.cache)
    expected = reference.run(_noise(spec))
    for output, wanted in zip(runtime.open(spec, tmp_path).run(_noise(spec)), expected, strict=True):
        np.testing.assert_allclose(output, wanted, rtol=1e-3, atol=1e-3 * max(1.0, float(np.abs(wanted).max())))
    reference.close()
