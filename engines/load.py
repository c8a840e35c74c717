"""From names in the options to a detector or an embedder that is ready to run."""

from __future__ import annotations

from engines.align import CropSpec
from engines.detector import Detector
from engines.embedder import Embedder
from engines.options import EngineOptions


def load_detector(config: EngineOptions, *, cameras: int = 1, size_wh: tuple[int, int]) -> Detector:
    """The detector for up to `cameras` pictures of up to about `size_wh` at once."""
    raise NotImplementedError


def load_embedder(config: EngineOptions, *, batch: int = 8) -> Embedder:
    """The embedder; `batch` is the most faces that one inference takes."""
    raise NotImplementedError


def crop_spec(embedder_name: str) -> CropSpec:
    """How faces must be aligned for this embedder; reads its manifest and loads no runtime."""
    raise NotImplementedError
