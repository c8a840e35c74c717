"""What a caller may choose about engines."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Backend = Literal["auto", "tensorrt", "openvino", "onnx"]
Precision = Literal["int8", "fp16", "fp32"]


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """detector, embedder  names of manifests
    thresholds          least score after each of the three stages of a cascade, the last one for detectors of one
                        look; None: what suits the detector
    pyramid_factor      how much smaller each level of the pyramid is than the one before
    detect_every        in video, a full search at least every so many pictures; 1: in each
    models, cache       folders: checked model files, and what was compiled from them on this machine
    """

    detector: str = "mtcnn"
    embedder: str = "sface"
    backend: Backend = "auto"
    precision: Precision = "fp16"
    threads: int = 1
    min_face_px: int = 40
    thresholds: tuple[float, float, float] | None = None
    pyramid_factor: float = 0.709
    detect_every: int = 4
    models: Path = Path("data/models")
    cache: Path = Path("data/engines")
