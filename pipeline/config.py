"""What one run is to do: built by `app` from settings and flags, handed to every process as it is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from engines.options import EngineOptions

Placement = Literal["split", "fused"]
Display = Literal["window", "none"]


@dataclass(frozen=True, slots=True)
class CameraConfig:
    """name    what events and windows call it
    source  0 (camera index), a file, rtsp://…, http://…, gst:PIPELINE, demo; credentials filled in
    shown   the source without its credentials: the only form that may be printed
    """

    name: str
    source: str
    shown: str


@dataclass(frozen=True, slots=True)
class CaptureConfig:
    size_wh: tuple[int, int] | None = None  # None: as it comes, at most 1280×720
    lossless: bool = True
    realtime_fps: float | None = None
    loop: bool = False
    frames: int | None = None
    open_timeout_s: float = 10.0


@dataclass(frozen=True, slots=True)
class GalleryConfig:
    path: Path = Path("data/gallery")
    match_threshold: float | None = None  # None: what the embedder's manifest says
    match_margin: float = 0.05


@dataclass(frozen=True, slots=True)
class OutputConfig:
    display: Display = "none"
    record: Path | None = None
    events: Path | None = None
    event_every_s: float = 1.0  # a track whose name does not change is told again after this long


@dataclass(frozen=True, slots=True)
class SuperviseConfig:
    hang_timeout_s: float = 10.0
    start_timeout_s: float = 120.0
    max_restarts: int = 5
    restart_window_s: float = 60.0
    stop_timeout_s: float = 3.0


@dataclass(frozen=True, slots=True)
class RunConfig:
    cameras: tuple[CameraConfig, ...]
    placement: Placement = "split"
    capture: CaptureConfig = CaptureConfig()
    engines: EngineOptions = EngineOptions()
    gallery: GalleryConfig = GalleryConfig()
    output: OutputConfig = OutputConfig()
    supervise: SuperviseConfig = SuperviseConfig()
