from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from engines.align import CropSpec, align
from engines.embedder import Embedder
from engines.load import load_detector, load_embedder
from engines.options import EngineOptions

SPEC = CropSpec(8, ((1, 1), (6, 1), (3, 3), (2, 6), (5, 6)))


class MeanEngine:
    """Gives the mean of each channel; notes how many faces it was given at a time."""

    output_names = ("embedding",)

    def __init__(self, batch: int, log: list[int]) -> None:
        self.input_shape = (batch, 8, 8, 3)
        self.output_shapes = ((batch, 3),)
        self.input = np.zeros(self.input_shape, np.uint8)
        self._log = log

    def run(self, batch: NDArray[np.uint8] | None = None) -> tuple[NDArray[np.float32], ...]:
        if batch is not None:
            self.input[:] = batch
        self._log.append(len(self.input))
        return (self.input.mean(axis=(1, 2)).astype(np.float32),)

    def close(self) -> None:
        self._log.append(-len(self.input))


def _embedder(log: list[int], *batches: int) -> Embedder:
    engines = [MeanEngine(batch, log) for batch in batches]
    return Embedder(engines, space="mean@1", crop=SPEC, match_threshold=0.5)


@pytest.mark.parametrize(
    ("count", "runs"), [(0, []), (1, [1]), (3, [1, 1, 1]), (4, [4]), (6, [4, 1, 1]), (9, [4, 4, 1])]
)
def test_faces_go_in_as_few_batches_as_fit(count: int, runs: list[int]) -> None:
    log: list[int] = []
    crops = np.random.default_rng(count).integers(1, 256, (count, 8, 8, 3), np.uint8)
    vectors = _embedder(log, 1, 4).embed(crops)
    assert log == runs
    means = crops.mean(axis=(1, 2))
    np.testing.assert_allclose(vectors, means / np.linalg.norm(means, axis=1, keepdims=True), rtol=1e-5)
    assert vectors.dtype == np.float32


def test_a_vector_of_nothing_stays_one() -> None:
    assert not _embedder([], 1).embed(np.zeros((1, 8, 8, 3), np.uint8)).any()


def test_one_face_must_be_possible() -> None:
    with pytest.raises(ValueError, match="single crop"):
        _embedder([], 4)


def test_closing_closes_all_engines() -> None:
    log: list[int] = []
    _embedder(log, 1, 4).close()
    assert sorted(log) == [-4, -1]


def test_sface_knows_a_face_again(
    options: EngineOptions, model: Callable[[str], str], astronaut: NDArray[np.uint8]
) -> None:
    model("mtcnn")
    model("sface")
    embedder = load_embedder(options, batch=4)
    assert embedder.space.startswith("sface@sha256:")
    assert embedder.dim == 128
    detector = load_detector(options, size_wh=(512, 512))
    pictures = [astronaut, np.ascontiguousarray(astronaut[:, ::-1]), np.ascontiguousarray(astronaut[::2, ::2])]
    faces = [found.landmarks[:1] for found in detector.detect(pictures)]
    crops = np.concatenate([align(p, f, embedder.crop) for p, f in zip(pictures, faces, strict=True)])
    other = np.random.default_rng(0).integers(0, 256, crops[:1].shape, np.uint8)
    vectors = embedder.embed(np.concatenate([crops, other]))
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    cosines = vectors @ vectors.T
    assert cosines[:3, :3].min() > 0.7
    assert cosines[3, :3].max() < embedder.match_threshold
    # The four together went through the batch of four, the three one by one.
    np.testing.assert_allclose(embedder.embed(crops), vectors[:3], atol=1e-4)
    np.testing.assert_array_equal(embedder.embed(crops), embedder.embed(crops))
    detector.close()
    embedder.close()


def test_facenet_gives_vectors_of_its_own_space(options: EngineOptions, model: Callable[[str], str]) -> None:
    wanted = EngineOptions(embedder=model("facenet"), precision="fp32", models=options.models, cache=options.cache)
    embedder = load_embedder(wanted, batch=1)
    crops = np.random.default_rng(0).integers(0, 256, (2, 160, 160, 3), np.uint8)
    vectors = embedder.embed(crops)
    assert (embedder.space[:8], vectors.shape) == ("facenet@", (2, 512))
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    embedder.close()
