"""Models that somebody brings, from the path of the file to faces and embeddings, and what may be wrong with them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from checkpoints import manifest, onnx_file
from checkpoints.errors import ModelError
from checkpoints.manifest import Family
from checkpoints.onnx_file import Network, Node, Value
from checkpoints.store import sha256_of
from engines.load import crop_spec, load_detector, load_embedder
from engines.options import EngineOptions
from tests.engines.planted import planted

Picture = NDArray[np.uint8]
Change = Callable[[dict[str, Any]], None]


@pytest.fixture
def arcface(tmp_path: Path) -> Path:
    """Stands for ArcFace and its kin: 112×112, RGB, (x − 127.5) / 127.5, 512 numbers."""
    random = np.random.default_rng(3)
    network = Network(
        nodes=[
            Node("Conv", ["data", "kernel"], ["map"], {"kernel_shape": (7, 7), "strides": (7, 7)}),
            Node("Relu", ["map"], ["positive"]),
            Node("Flatten", ["positive"], ["flat"]),
            Node("MatMul", ["flat", "dense"], ["vector"]),
        ],
        constants={
            "kernel": (random.standard_normal((4, 3, 7, 7)) / 7).astype(np.float32),
            "dense": (random.standard_normal((1024, 512)) / 32).astype(np.float32),
        },
        inputs=[Value("data", ("N", 3, 112, 112))],
        outputs=[Value("vector", ("N", 512))],
        opset=17,
    )
    path = tmp_path / "my_arcface.onnx"
    path.write_bytes(onnx_file.write(network))
    file = {
        "part": "net",
        "name": path.name,
        "size_wh": [112, 112],
        "input": "data",
        "outputs": {"embedding": "vector"},
    }
    content = {"layout": "NCHW", "colour": "RGB", "mean": 127.5, "scale": 1 / 127.5, "embedding_dim": 512}
    content |= {"files": [file], "crop": "arcface112", "match_threshold": 0.4}
    path.with_suffix(".json").write_text(json.dumps(content), encoding="utf-8")
    _correct_hash(path)
    return path


def _change_manifest(path: Path, change: Change) -> None:
    beside = path.with_suffix(".json")
    content = json.loads(beside.read_text(encoding="utf-8"))
    change(content)
    beside.write_text(json.dumps(content), encoding="utf-8")


def _correct_hash(path: Path) -> None:
    _change_manifest(path, lambda content: content["files"][0].update(sha256=sha256_of(path)))


def _brought_detector(folder: Path, family: Family = "yunet") -> Path:
    planted(folder, family)
    return folder / f"{family}.onnx"


def test_an_embedder_like_arcface(arcface: Path, options: EngineOptions) -> None:
    wanted = replace(options, embedder=str(arcface))
    spec = crop_spec(wanted)
    assert spec == crop_spec(replace(options, embedder="sface"))
    embedder = load_embedder(wanted, batch=4)
    crops = np.random.default_rng(1).integers(0, 256, (6, 112, 112, 3), np.uint8)
    vectors = embedder.embed(crops)
    assert vectors.shape == (6, 512)
    assert embedder.match_threshold == 0.4
    assert embedder.space.startswith("my_arcface@sha256:")
    # By hand: blue-green-red bytes become red-green-blue numbers in −1…1.
    network = onnx_file.read(arcface.read_bytes())
    kernel = np.asarray(network.constants["kernel"], np.float64)
    pieces = (crops[..., ::-1].astype(np.float64) - 127.5).reshape(6, 16, 7, 16, 7, 3) / 127.5
    positive = np.maximum(np.einsum("nhiwjc,ocij->nohw", pieces, kernel), 0)
    expected = positive.reshape(6, -1) @ np.asarray(network.constants["dense"], np.float64)
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(vectors, expected, atol=1e-4)
    embedder.close()


@pytest.mark.parametrize("family", ["yunet", "scrfd", "retinaface"])
def test_a_detector_of_each_family(family: Family, tmp_path: Path, options: EngineOptions) -> None:
    path = _brought_detector(tmp_path, family)
    detector = load_detector(replace(options, detector=str(path), min_face_px=1), size_wh=(320, 240))
    picture = np.zeros((240, 320, 3), np.uint8)
    picture[80:88, 160:168, 0] = 220
    (faces,) = detector.detect([picture])
    np.testing.assert_allclose(faces.scores, [220 / 255], atol=1e-4)
    left, top, right, bottom = faces.boxes_xyxy[0]
    assert left < 164 < right
    assert top < 84 < bottom
    detector.close()


def test_a_cascade_in_three_files(
    tmp_path: Path, options: EngineOptions, model: Callable[[str], str], crowd: Picture
) -> None:
    """The one that everybody has, under other names: it finds the same."""
    known = manifest.load(model("mtcnn_reference"))
    files = []
    for file in known.files:
        shutil.copy(options.models / file.name, tmp_path / f"my_{file.part}.onnx")
        entry = {"part": file.part, "name": f"my_{file.part}.onnx", "sha256": file.sha256, "size_wh": file.size_wh}
        files.append(entry | {"input": file.input, "outputs": dict(file.outputs)})
    content = {"family": "mtcnn", "files": files, "layout": known.layout, "colour": known.colour}
    path = tmp_path / "my_pnet.onnx"
    path.with_suffix(".json").write_text(json.dumps(content | {"mean": known.mean, "scale": known.scale}))
    mine = load_detector(replace(options, detector=str(path)), size_wh=(960, 540))
    shipped = load_detector(replace(options, detector=known.name), size_wh=(960, 540))
    (one,), (other,) = mine.detect([crowd]), shipped.detect([crowd])
    assert len(one) >= 4
    np.testing.assert_array_equal(one.boxes_xyxy, other.boxes_xyxy)
    mine.close()
    shipped.close()


def _cut_off(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-40])


def _not_numbers(path: Path) -> None:
    network = onnx_file.read(path.read_bytes())
    name = next(name for name, array in network.constants.items() if array.dtype == np.float32)
    spoilt = network.constants[name].copy()
    spoilt.reshape(-1)[3] = np.nan
    network.constants[name] = spoilt
    path.write_bytes(onnx_file.write(network))


def _foreign(path: Path) -> None:
    """A node that no runtime knows."""
    network = onnx_file.read(path.read_bytes())
    network.nodes[0].op = "Convolutionise"
    path.write_bytes(onnx_file.write(network))


def _another_format(path: Path) -> None:
    path.write_bytes(b"TFL3" + bytes(range(256)) * 20)


SPOILT = pytest.mark.parametrize("spoil", [_cut_off, _not_numbers, _foreign, _another_format])


@SPOILT
def test_a_spoilt_detector_is_refused(spoil: Callable[[Path], None], tmp_path: Path, options: EngineOptions) -> None:
    """Even where the manifest says that this is the file."""
    path = _brought_detector(tmp_path)
    spoil(path)
    wanted = replace(options, detector=str(path))
    with pytest.raises(ModelError, match="not the file that its manifest describes"):
        load_detector(wanted, size_wh=(320, 240))
    _correct_hash(path)
    with pytest.raises(ModelError) as caught:
        load_detector(wanted, size_wh=(320, 240))
    assert "yunet" in str(caught.value)
    assert caught.value.saw
    assert caught.value.fix


@SPOILT
def test_a_spoilt_embedder_is_refused(spoil: Callable[[Path], None], arcface: Path, options: EngineOptions) -> None:
    spoil(arcface)
    wanted = replace(options, embedder=str(arcface))
    with pytest.raises(ModelError, match="not the file that its manifest describes"):
        load_embedder(wanted)
    _correct_hash(arcface)
    with pytest.raises(ModelError) as caught:
        load_embedder(wanted)
    assert "my_arcface" in str(caught.value)


LIES: dict[str, Change] = {
    "layout": lambda content: content.update(layout="NHWC"),
    "input": lambda content: content["files"][0].update(input="picture_2"),
    "size": lambda content: content["files"][0].update(size_wh=[96, 96]),
    "output": lambda content: content["files"][0]["outputs"].update(
        dict.fromkeys(content["files"][0]["outputs"], "nowhere")
    ),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_manifest_that_lies_about_an_embedder(lie: str, arcface: Path, options: EngineOptions) -> None:
    _change_manifest(arcface, LIES[lie])
    with pytest.raises(ModelError, match="my_arcface"):
        load_embedder(replace(options, embedder=str(arcface)))


def test_a_manifest_that_lies_about_the_length_of_an_embedding(arcface: Path, options: EngineOptions) -> None:
    _change_manifest(arcface, lambda content: content.update(embedding_dim=128))
    with pytest.raises(ModelError, match="embeddings of 512 numbers"):
        load_embedder(replace(options, embedder=str(arcface)))


@pytest.mark.parametrize("lie", ["layout", "input", "output"])
def test_a_manifest_that_lies_about_a_detector(lie: str, tmp_path: Path, options: EngineOptions) -> None:
    path = _brought_detector(tmp_path)
    _change_manifest(path, LIES[lie])
    with pytest.raises(ModelError, match="yunet"):
        load_detector(replace(options, detector=str(path)), size_wh=(320, 240))


@pytest.mark.parametrize(("outputs", "told"), [("cls_8", "cls_16"), ("bbox_8", "obj_8")])
def test_outputs_that_are_exchanged(outputs: str, told: str, tmp_path: Path, options: EngineOptions) -> None:
    """The tensor is there, but it has another shape than its meaning."""
    path = _brought_detector(tmp_path)

    def exchange(content: dict[str, Any]) -> None:
        tensors = content["files"][0]["outputs"]
        tensors[outputs], tensors[told] = tensors[told], tensors[outputs]

    _change_manifest(path, exchange)
    with pytest.raises(ModelError, match="shape"):
        load_detector(replace(options, detector=str(path)), size_wh=(320, 240))
