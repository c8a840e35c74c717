"""The proof on hand-made nets; test_real_models.py repeats it on the fetched ones."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from checkpoints import manifest, onnx_file, proof
from checkpoints.convert import convert
from checkpoints.manifest import Manifest
from checkpoints.model_file import ModelFile
from checkpoints.onnx_file import Network, Node, Value


def sideways_net(seed: int = 3) -> bytes:
    """Conv → pooling → dense layer, with weights that differ along x and y, as MTCNN's R-Net is built."""
    random = np.random.default_rng(seed)
    return onnx_file.write(
        Network(
            nodes=[
                Node("Transpose", ["picture"], ["planes"], {"perm": (0, 3, 1, 2)}),
                Node("Conv", ["planes", "kernel", "bias"], ["map"], {"kernel_shape": (3, 3)}),
                Node("Transpose", ["map"], ["pixels"], {"perm": (0, 2, 3, 1)}),
                Node("Flatten", ["pixels"], ["flat"], {"axis": 1}),
                Node("MatMul", ["flat", "dense"], ["hidden"]),
                Node("MatMul", ["hidden", "last"], ["boxes"]),
            ],
            constants={
                "kernel": random.normal(size=(5, 3, 3, 3)).astype(np.float32),
                "bias": random.normal(size=5).astype(np.float32),
                "dense": random.normal(size=(4 * 4 * 5, 7)).astype(np.float32) / 8,
                "last": random.normal(size=(7, 4)).astype(np.float32),
            },
            inputs=[Value("picture", ("N", 6, 6, 3))],
            outputs=[Value("boxes", ("N", 4))],
            opset=12,
        )
    )


def packed_net() -> bytes:
    """One layer whose weights are stored as int8 and listed among the inputs, as SFace and YuNet are shipped."""
    weights = np.random.default_rng(4).integers(-127, 128, (5, 3, 3, 3)).astype(np.int8)
    scales = np.linspace(0.001, 0.002, 5, dtype=np.float32)
    return onnx_file.write(
        Network(
            nodes=[
                Node("DequantizeLinear", ["weights", "scales"], ["plain"], {"axis": 0}),
                Node("Conv", ["picture", "plain"], ["map"], {"kernel_shape": (3, 3)}),
            ],
            constants={"weights": weights, "scales": scales},
            inputs=[
                Value("picture", (1, 3, 6, 6)),
                Value("weights", (5, 3, 3, 3), np.dtype("i1")),
                Value("scales", (5,)),
            ],
            outputs=[Value("map", (1, 5, 4, 4))],
            opset=13,
        )
    )


@pytest.fixture
def rnet() -> tuple[Manifest, ModelFile]:
    model = manifest.load("mtcnn_reference")
    return model, replace(model.file("rnet"), size_wh=(6, 6))


@pytest.fixture
def packed() -> tuple[Manifest, ModelFile]:
    model = manifest.load("yunet")
    file = replace(model.files[0], size_wh=(6, 6), input="picture")
    return replace(model, files=(file,)), file


def test_an_upright_net_gives_what_the_sideways_one_gave(rnet: tuple[Manifest, ModelFile]) -> None:
    published = sideways_net()
    found = proof.difference(*rnet, published, convert("upright", published, "tiny"))
    assert found.largest < 1e-5
    assert found.of > 0.1


def test_an_unpacked_net_gives_what_the_packed_one_gave(packed: tuple[Manifest, ModelFile]) -> None:
    published = packed_net()
    converted = convert("unpack", published, "tiny")
    found = proof.difference(*packed, published, converted)
    assert found.of > 1
    assert found.largest < 1e-5 * found.of


def test_the_proof_notices_a_net_that_is_another_one(
    rnet: tuple[Manifest, ModelFile], packed: tuple[Manifest, ModelFile]
) -> None:
    assert proof.difference(*rnet, sideways_net(), sideways_net()).largest > 0.1
    network = onnx_file.read(convert("unpack", packed_net(), "tiny"))
    network.constants["plain"] = network.constants["plain"] * np.float32(1.01)
    assert proof.difference(*packed, packed_net(), onnx_file.write(network)).largest > 1e-3


def test_what_opencv_cannot_run_is_told(rnet: tuple[Manifest, ModelFile]) -> None:
    network = onnx_file.read(sideways_net())
    network.nodes[-1].op = "NobodyKnowsThis"
    with pytest.raises(proof.Unproven, match=f"OpenCV {cv2.__version__} does not run it"):
        proof.difference(*rnet, onnx_file.write(network), sideways_net())


def test_a_conversion_without_an_original_is_told(rnet: tuple[Manifest, ModelFile]) -> None:
    model, file = rnet
    with pytest.raises(proof.Unproven, match="no way to run the original"):
        proof.difference(model, replace(file, source=None), sideways_net(), sideways_net())


def test_the_difference_is_told_in_words() -> None:
    told = str(proof.Difference(1.234e-7, 2.5))
    assert told == "differs from the original by 1.2e-07 at most, in numbers up to 2.5"


@pytest.mark.parametrize("size_wh", [(12, 12), (31, 13), (64, 101), (150, 150), (320, 256)])
def test_the_face_has_the_size_that_is_asked_for(size_wh: tuple[int, int]) -> None:
    picture = proof.face(size_wh)
    assert picture.shape == (size_wh[1], size_wh[0], 3)
    assert picture.dtype == np.uint8
    assert 20 < picture.std() < 100


def test_the_kept_original_of_dlib_is_one_embedding() -> None:
    kept = proof.original("dlib")
    assert kept.shape == (128,)
    assert 1.2 < np.linalg.norm(kept) < 1.6


def test_a_picture_is_prepared_as_the_model_takes_it() -> None:
    picture = np.zeros((2, 3, 3), np.uint8)
    picture[..., 2] = 255  # red
    planes = proof.prepared(picture, manifest.load("dlib"))
    assert planes.shape == (1, 3, 2, 3)
    np.testing.assert_allclose(planes[0, :, 0, 0] * 256, [255 - 122.782, -117.001, -104.298], rtol=1e-6)
    assert proof.prepared(picture, manifest.load("mtcnn_reference")).shape == (1, 2, 3, 3)
