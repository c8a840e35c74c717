"""The fetched models themselves: `./run.sh setup` (or `python -m checkpoints.fetch`) brings them."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import openvino
import pytest
from numpy.typing import NDArray

from checkpoints import dlib_dat, manifest, onnx_file, proof, store
from checkpoints.convert import convert
from checkpoints.delivery import Delivery
from checkpoints.errors import ModelError
from checkpoints.model_file import ModelFile

ROOT = Path(__file__).resolve().parents[2]
PEOPLE = ROOT.parent / "shared" / "data" / "people"
ASTRONAUT = ROOT / "checkpoints" / "portrait.jpg"


def model(name: str) -> dict[str, Path]:
    one = manifest.load(name)
    if not all(store.is_there(file, store.DEFAULT_MODELS) for file in one.files):
        pytest.skip(f"{name} is not there: run `python -m checkpoints.fetch {name}`")
    return store.locate(one, store.DEFAULT_MODELS)


@pytest.mark.parametrize("part", ["pnet", "rnet", "onet"])
def test_an_upright_net_computes_what_the_published_one_does(part: str) -> None:
    """Turning twice gives the published weights again, so that this needs no second download."""
    upright = model("mtcnn_reference")[part].read_bytes()
    published = convert("upright", upright, part)
    mtcnn = manifest.load("mtcnn_reference")
    found = proof.difference(mtcnn, mtcnn.file(part), published, upright)
    assert found.largest < 1e-5 < 0.1 < found.of
    assert proof.difference(mtcnn, mtcnn.file(part), upright, upright).largest > 1e-2


def test_dlibs_net_computes_what_dlib_does() -> None:
    dlib = manifest.load("dlib")
    found = proof.difference(dlib, dlib.files[0], b"", model("dlib")["net"].read_bytes())
    assert found.largest < 1e-5 < 0.1 < found.of


def people(count: int, side: int) -> NDArray[np.uint8]:
    """(N, S, S, 3) blue-green-red: the middles of some measuring pictures."""
    paths = sorted(PEOPLE.glob("*/*.jpg")) if PEOPLE.is_dir() else []
    if not paths:
        pytest.skip(f"the measuring pictures are not there: {PEOPLE}")
    pictures = [cv2.imread(str(path)) for path in paths[:: len(paths) // count][:count]]
    middles = [picture[50:200, 50:200] for picture in pictures if picture is not None]
    return np.stack([cv2.resize(middle, (side, side)) for middle in middles]).astype(np.uint8)


def published(name: str, folder: Path) -> list[tuple[ModelFile, bytes]]:
    """The files as they were published, fetched as `python -m checkpoints.fetch` does."""
    delivery = Delivery(folder, store.DEFAULT_MODELS, ())
    try:
        return [
            (file, delivery.bring(file, file.source, lambda *_: None))
            for file in manifest.load(name).files
            if file.source is not None
        ]
    except ModelError as error:
        pytest.skip(f"{name} cannot be fetched: {error.saw}")


@pytest.mark.slow
@pytest.mark.parametrize("name", manifest.names())
def test_every_converted_net_computes_what_the_published_one_does(name: str, tmp_path: Path) -> None:
    files = model(name)
    for file, raw in published(name, tmp_path):
        assert file.source is not None
        assert file.source.conversion is not None
        content = convert(file.source.conversion, raw, file.name)
        assert content == files[file.part].read_bytes()
        found = proof.difference(manifest.load(name), file, raw, content)
        assert found.largest < 1e-5


@pytest.mark.slow
def test_the_manifest_tells_the_mean_colour_that_dlibs_file_holds(tmp_path: Path) -> None:
    known = manifest.load("dlib")
    net = dlib_dat.read(published("dlib", tmp_path)[0][1])
    np.testing.assert_allclose(net.mean, known.mean, rtol=1e-6)
    assert known.scale == (1 / 256, 1 / 256, 1 / 256)
    assert net.size_wh == known.files[0].size_wh


@pytest.mark.slow
def test_facenet_computes_on_people_what_openvino_makes_of_the_graph(tmp_path: Path) -> None:
    converted = compiled(model("facenet")["net"])
    graph = tmp_path / "facenet.pb"
    graph.write_bytes(published("facenet", tmp_path)[0][1])
    original = compiled(graph)
    for picture in people(8, 160):
        planes = proof.prepared(picture, manifest.load("facenet"))
        found = converted(planes)[0].ravel()
        expected = original(np.ascontiguousarray(planes.transpose(0, 2, 3, 1)))[0].ravel()
        np.testing.assert_allclose(found / np.linalg.norm(found), expected, atol=1e-5)


@pytest.mark.slow
def test_dlibs_net_computes_on_people_what_dlib_does(tmp_path: Path) -> None:
    dlib = pytest.importorskip("dlib", reason="dlib itself is not installed: pip install facewire[dlib]")
    weights = tmp_path / "dlib.dat"
    weights.write_bytes(published("dlib", tmp_path)[0][1])
    original = dlib.face_recognition_model_v1(str(weights))
    converted = compiled(model("dlib")["net"])
    for picture in people(8, 150):
        found = converted(proof.prepared(picture, manifest.load("dlib")))[0].ravel()
        expected = np.array(original.compute_face_descriptor(np.ascontiguousarray(picture[..., ::-1])))
        np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("name", ["sface", "yunet"])
def test_unpacked_files_hold_plain_weights_and_one_input(name: str) -> None:
    network = onnx_file.read(model(name)["net"].read_bytes())
    assert [value.name for value in network.inputs] == [manifest.load(name).files[0].input]
    assert "DequantizeLinear" not in {node.op for node in network.nodes}
    used = {name for node in network.nodes for name in node.inputs}
    assert set(network.constants) <= used


@pytest.mark.parametrize("name", manifest.names())
def test_openvino_reads_every_file_in_batches(name: str) -> None:
    one = manifest.load(name)
    for part, path in model(name).items():
        file = one.file(part)
        net = openvino.Core().read_model(path)
        width, height = file.size_wh or (96, 64)
        net.reshape([2, height, width, 3] if one.layout == "NHWC" else [2, 3, height, width])
        assert file.input in net.input(0).names
        named = {tensor for output in net.outputs for tensor in output.names}
        assert set(file.outputs.values()) <= named
        assert all(output.shape[0] == 2 for output in net.outputs)


def embedding(picture_bgr: NDArray[np.uint8]) -> NDArray[np.float32]:
    """With OpenCV's own detector and recogniser, which read the converted files."""
    height, width = picture_bgr.shape[:2]
    detector = cv2.FaceDetectorYN.create(str(model("yunet")["net"]), "", (width, height))
    recogniser = cv2.FaceRecognizerSF.create(str(model("sface")["net"]), "")
    faces = detector.detect(picture_bgr)[1]
    assert len(faces) == 1
    found: NDArray[np.float32] = recogniser.feature(recogniser.alignCrop(picture_bgr, faces[0])).ravel()
    return found / np.linalg.norm(found)


def test_yunet_and_sface_recognise_a_face_again() -> None:
    picture = cv2.imread(str(ASTRONAUT))
    assert picture is not None
    smaller = cv2.convertScaleAbs(cv2.resize(picture, None, fx=0.6, fy=0.6, interpolation=cv2.INTER_AREA), alpha=0.7)
    cosine = float(embedding(picture) @ embedding(smaller))
    threshold = manifest.load("sface").match_threshold
    assert threshold is not None
    assert cosine > threshold + 0.3


def compiled(path: Path) -> openvino.CompiledModel:
    settings = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1}
    return openvino.Core().compile_model(openvino.Core().read_model(path), "CPU", settings)


def test_facenet_embeds_each_picture_of_a_batch_for_itself() -> None:
    run = compiled(model("facenet")["net"])
    pictures = np.random.default_rng(5).uniform(-1, 1, (3, 3, 160, 160)).astype(np.float32)
    together = run(pictures)[0].copy()
    alone = np.concatenate([run(pictures[i : i + 1])[0].copy() for i in range(3)])
    np.testing.assert_allclose(together, alone, atol=1e-4)
