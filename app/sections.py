"""Every setting: its names, its flag, its default, what it means. Data, and nothing else.

Those of the gallery are in `gallery_section`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import get_args

from app import cameras, values
from app.about import about
from engines.options import Backend, EngineOptions, Precision
from pipeline.config import CaptureConfig, OutputConfig, Placement, RunConfig, SuperviseConfig

SOURCE = "VIDEO_SOURCE"

_CAPTURE, _ENGINES = CaptureConfig(), EngineOptions()
_OUTPUT, _SUPERVISE = OutputConfig(), SuperviseConfig()


@dataclass(frozen=True, slots=True)
class SourceSettings:
    """What to watch"""

    sources: tuple[str, ...] = field(
        default=("demo",),
        metadata=about(
            SOURCE,
            cameras.source,
            "A camera's index, a video file, rtsp://…, http://…, gst:PIPELINE, or demo. "
            "VIDEO_SOURCE_2, VIDEO_SOURCE_3 … name further ones",
            "--source S",
        ),
    )
    size_wh: tuple[int, int] | None = field(
        default=_CAPTURE.size_wh,
        metadata=about(
            "FRAME_SIZE", values.size, "Pictures are scaled to this; if empty, at most 1280x720", "--size WxH"
        ),
    )
    frames: int | None = field(
        default=_CAPTURE.frames,
        metadata=about("FRAMES", values.whole(1, 10**9), "Stop after so many frames of each source", "--frames N"),
    )
    loop: bool = field(
        default=_CAPTURE.loop,
        metadata=about("LOOP", values.yes_or_no, "Start a file again when it ends", "--loop"),
    )
    fps_target: float | None = field(
        default=_CAPTURE.realtime_fps,
        metadata=about(
            "FPS_TARGET",
            values.number(0.1, 1000, "frames a second"),
            "Play files at this rate, as a live camera would: what comes too fast is dropped. "
            "If empty, files go as fast as they can. Cameras keep their own rate",
            "--realtime FPS",
        ),
    )
    lossless: bool | None = field(
        default=None,
        metadata=about(
            "LOSSLESS",
            values.yes_or_no,
            "Work on every frame of a file; if empty, true of files without FPS_TARGET. Not possible for live sources",
            "--lossless",
        ),
    )
    open_timeout_s: float = field(
        default=_CAPTURE.open_timeout_s,
        metadata=about("OPEN_TIMEOUT", values.number(0.5, 600, "seconds"), "Seconds a source may take to open"),
    )


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """Models and how they run"""

    detector: str = field(
        default=_ENGINES.detector,
        metadata=about(
            "DETECTOR_ENGINE DETECTOR",
            values.model("mtcnn", "mtcnn_reference", "yunet"),
            "What finds faces: mtcnn, mtcnn_reference, yunet or an ONNX file",
            "--detector NAME",
        ),
    )
    embedder: str = field(
        default=_ENGINES.embedder,
        metadata=about(
            "EMBEDDING_ENGINE EMBEDDER",
            values.model("sface", "facenet", "dlib"),
            "What tells faces apart: sface, facenet, dlib or an ONNX file. Each needs a gallery of its own",
            "--embedder NAME",
        ),
    )
    precision: Precision | None = field(
        default=None,
        metadata=about(
            "PRECISION",
            values.one_of(*get_args(Precision)),
            "int8, fp16 or fp32; if empty, what USE_FP16 says, else int8 (fp16 on ARM processors that have it)",
            "--precision P",
        ),
    )
    use_fp16: bool | None = field(
        default=None,
        metadata=about("USE_FP16", values.yes_or_no, "true: PRECISION=fp16, false: PRECISION=fp32; PRECISION wins"),
    )
    backend: Backend = field(
        default=_ENGINES.backend,
        metadata=about(
            "BACKEND", values.one_of(*get_args(Backend)), "auto, tensorrt, openvino or onnx", "--backend NAME"
        ),
    )
    placement: Placement = field(
        default=RunConfig(()).placement,
        metadata=about(
            "PLACEMENT",
            values.one_of(*get_args(Placement)),
            "split: each stage is a process; fused: detect, align and recognise share one",
            "--placement P",
        ),
    )
    threads: int = field(
        default=_ENGINES.threads,
        metadata=about("THREADS", values.whole(1, 256), "CPU threads of each engine", "--threads N"),
    )
    min_face_px: int = field(
        default=_ENGINES.min_face_px,
        metadata=about("MIN_FACE", values.whole(12, 1000), "Smallest face to look for, in pixels", "--min-face PX"),
    )
    detect_every: int = field(
        default=_ENGINES.detect_every,
        metadata=about(
            "DETECT_EVERY",
            values.whole(1, 100),
            "Search the whole picture at least every so many frames and within 0.2 s, and only follow the faces that "
            "are known in between; 1: search every frame",
            "--detect-every N",
        ),
    )
    thresholds: tuple[float, float, float] | None = field(
        default=_ENGINES.thresholds,
        metadata=about(
            "DETECTOR_THRESHOLDS",
            values.thresholds,
            "Least score after each of the three stages of MTCNN, 0 to 1, with commas between; or one number for all, "
            "and for detectors that look once. If empty, what suits the detector",
        ),
    )
    pyramid_factor: float = field(
        default=_ENGINES.pyramid_factor,
        metadata=about(
            "PYRAMID_FACTOR",
            values.number(0.3, 0.95),
            "How much smaller each level of MTCNN's picture pyramid is than the one before",
        ),
    )


@dataclass(frozen=True, slots=True)
class OutputSettings:
    """What comes out"""

    display: str = field(
        default="auto",
        metadata=about(
            "DISPLAY_MODE",
            values.one_of("auto", "window", "web", "none"),
            "window, web: a console for browsers, none, or auto: a window if there is a screen, else web",
            "--display MODE",
        ),
    )
    record: Path | None = field(
        default=_OUTPUT.record,
        metadata=about(
            "RECORD",
            values.path,
            "Write the annotated video to this file, or, for cameras that never end, to films in this folder",
            "--record OUT.mp4|DIR",
        ),
    )
    record_minutes: float = field(
        default=60.0,
        metadata=about("RECORD_MINUTES", values.number(0.1, 1440, "minutes"), "Minutes of each film in that folder"),
    )
    record_days: float = field(
        default=7.0,
        metadata=about(
            "RECORD_RETENTION_DAYS",
            values.number(0.01, 36500, "days"),
            "Days after which films in that folder are erased",
        ),
    )
    clips: Path | None = field(
        default=None,
        metadata=about(
            "CLIPS", values.path, "Write a short film to this folder whenever somebody is seen", "--clips DIR"
        ),
    )
    clip_seconds: float = field(
        default=5.0,
        metadata=about(
            "CLIP_SECONDS", values.number(1, 30, "seconds"), "Seconds of a clip before and after what happened"
        ),
    )
    clip_days: float = field(
        default=30.0,
        metadata=about("CLIP_RETENTION_DAYS", values.number(0.01, 36500, "days"), "Days after which clips are erased"),
    )
    events: Path | None = field(
        default=_OUTPUT.events,
        metadata=about(
            "EVENTS", values.path, "Write events to this file, one JSON object a line", "--events OUT.jsonl"
        ),
    )
    event_every_s: float = field(
        default=_OUTPUT.event_every_s,
        metadata=about(
            "EVENT_EVERY",
            values.number(0, 86400, "seconds"),
            "Seconds after which a track whose name stays the same is told again",
        ),
    )
    report: Path | None = field(
        default=None,
        metadata=about("REPORT_FILE", values.path, "Write the latency of each stage to this file", "--report OUT.json"),
    )
    trace: Path | None = field(
        default=None,
        metadata=about(
            "TRACE_FILE", values.path, "Write a trace for Perfetto or chrome://tracing to this file", "--trace OUT.json"
        ),
    )


@dataclass(frozen=True, slots=True)
class SuperviseSettings:
    """When a stage is restarted"""

    hang_timeout_s: float = field(
        default=_SUPERVISE.hang_timeout_s,
        metadata=about("HANG_TIMEOUT", values.number(0.5, 3600, "seconds"), "Seconds without a sign of life"),
    )
    start_timeout_s: float = field(
        default=_SUPERVISE.start_timeout_s,
        metadata=about("START_TIMEOUT", values.number(1, 3600, "seconds"), "Seconds that a stage may take to start"),
    )
    max_restarts: int = field(
        default=_SUPERVISE.max_restarts,
        metadata=about(
            "MAX_RESTARTS",
            values.whole(0, 1000),
            "More restarts within RESTART_WINDOW end a run of files, and give a stage of a run with cameras a rest",
        ),
    )
    restart_window_s: float = field(
        default=_SUPERVISE.restart_window_s,
        metadata=about("RESTART_WINDOW", values.number(1, 86400, "seconds"), "Seconds over which restarts are counted"),
    )
    stop_timeout_s: float = field(
        default=_SUPERVISE.stop_timeout_s,
        metadata=about(
            "STOP_TIMEOUT", values.number(0.1, 60, "seconds"), "Seconds to stop in, before a stage is killed"
        ),
    )


@dataclass(frozen=True, slots=True)
class StorageSettings:
    """Where this program keeps its files"""

    data_dir: Path = field(
        default=Path("data"),
        metadata=about(
            "DATA_DIR",
            values.path,
            "Folder for models, engines and the gallery; a relative path starts at the folder of run.sh",
        ),
    )
