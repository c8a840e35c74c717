from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from checkpoints import manifest, portrait, store
from engines.options import EngineOptions

ROOT = Path(__file__).resolve().parents[2]
MODELS = ROOT / "data" / "models"


@pytest.fixture(scope="session")
def engine_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("engines")


@pytest.fixture(scope="session")
def options(engine_cache: Path) -> EngineOptions:
    return EngineOptions(precision="fp32", models=MODELS, cache=engine_cache)


@pytest.fixture(scope="session")
def model() -> Callable[[str], str]:
    """Skips a test whose model is not there."""

    def need(name: str) -> str:
        known = manifest.load(name)
        if not all(store.is_there(file, MODELS) for file in known.files):
            pytest.skip(f"the model {name} is not in {MODELS}: python -m checkpoints.fetch {name}")
        return name

    return need


@pytest.fixture(scope="session")
def astronaut() -> NDArray[np.uint8]:
    """One face, 512×512."""
    picture = cv2.imread(str(portrait.PATH))
    assert picture is not None
    return np.asarray(picture, np.uint8)


@pytest.fixture(scope="session")
def crowd(astronaut: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """960×540: the same face at five sizes, upright, mirrored and over the edge, on a noisy ground."""
    random = np.random.default_rng(7)
    ground = cv2.resize(random.integers(40, 200, (54, 96, 3), np.uint8), (960, 540), interpolation=cv2.INTER_CUBIC)
    picture = np.asarray(ground, np.uint8)
    for side, left, top, mirrored in ((260, 20, 30, False), (150, 330, 60, True), (400, 520, 150, False)):
        face = cv2.resize(astronaut[20:260, 110:350], (side, side), interpolation=cv2.INTER_AREA)
        bottom, right = min(top + side, 540), min(left + side, 960)
        picture[top:bottom, left:right] = (face[:, ::-1] if mirrored else face)[: bottom - top, : right - left]
    for side, left, top in ((110, 340, 300), (200, -70, 340)):
        face = cv2.resize(astronaut[20:260, 110:350], (side, side), interpolation=cv2.INTER_AREA)
        picture[top : top + side, max(left, 0) : left + side] = face[: 540 - top, max(-left, 0) :]
    return picture


@pytest.fixture
def one_thread() -> Iterator[None]:
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    yield
    cv2.setNumThreads(before)
