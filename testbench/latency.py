"""How fast the program is, and where a frame's time goes.

    python -m testbench.latency --source clip.mp4 --size 1280x720 --lossless --frames 600 --json latency.json
    python -m testbench.latency --source clip.mp4 --realtime 25 --frames 600

A file is played again and again until there are enough frames.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import get_args

from app.run import Run
from checkpoints.exit_code import exit_code
from engines import fitting
from engines.options import Backend, EngineOptions, Precision
from pipeline.config import CameraConfig, CaptureConfig, GalleryConfig, OutputConfig, RunConfig
from testbench.figures import tell


def size_wh(text: str) -> tuple[int, int]:
    width, _, height = text.partition("x")
    return int(width), int(height)


def config_of(args: argparse.Namespace, gallery: Path) -> RunConfig:
    return RunConfig(
        cameras=tuple(CameraConfig(f"cam{n}", source, source) for n, source in enumerate(args.source)),
        placement=args.placement,
        capture=CaptureConfig(
            size_wh=args.size,
            lossless=args.realtime is None,
            realtime_fps=args.realtime,
            loop=True,
            frames=args.frames,
        ),
        engines=EngineOptions(
            detector=args.detector,
            embedder=args.embedder,
            backend=args.backend,
            precision=args.precision,
            threads=args.threads,
            min_face_px=args.min_face,
            detect_every=args.detect_every,
            models=args.models,
            cache=args.cache,
        ),
        gallery=GalleryConfig(path=gallery),
        output=OutputConfig(events=args.events),
    )


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="python -m testbench.latency", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument("--source", action="append", required=True, help="a file; repeat it for several cameras")
    made.add_argument("--size", type=size_wh, help="working size, WxH")
    made.add_argument("--frames", type=int, default=600, help="of each camera (%(default)s)")
    speed = made.add_mutually_exclusive_group()
    speed.add_argument("--lossless", action="store_true", help="as fast as it goes, every frame (the default)")
    speed.add_argument("--realtime", type=float, metavar="FPS", help="as a camera of so many frames a second")
    made.add_argument("--placement", choices=("split", "fused"), default="split")
    default = EngineOptions()
    made.add_argument("--detector", default=default.detector)
    made.add_argument("--embedder", default=default.embedder)
    made.add_argument("--precision", choices=get_args(Precision), default=fitting.precision("auto"))
    made.add_argument("--backend", choices=get_args(Backend), default=default.backend)
    made.add_argument("--threads", type=int, default=default.threads, help="of each engine (%(default)s)")
    made.add_argument("--min-face", type=int, default=default.min_face_px, help="pixels (%(default)s)")
    made.add_argument("--detect-every", type=int, default=default.detect_every, help="frames (%(default)s)")
    made.add_argument("--events", type=Path, help="keep the events here")
    made.add_argument("--trace", type=Path, help="keep a Perfetto trace here")
    made.add_argument("--models", type=Path, default=Path("data/models"))
    made.add_argument("--cache", type=Path, default=Path("data/engines"))
    made.add_argument("--json", type=Path, help="write the figures here")
    return made


def main(arguments: list[str] | None = None) -> int:
    args = parser().parse_args(arguments)
    return exit_code(lambda: _measure(args))


def _measure(args: argparse.Namespace) -> int:
    with tempfile.TemporaryDirectory(prefix="facewire-latency-") as folder:
        report = Path(folder) / "report.json"
        code = Run(config_of(args, Path(folder) / "gallery"), report=report, trace=args.trace)()
        tell(json.loads(report.read_text()), args.json)
    return code


if __name__ == "__main__":
    sys.exit(main())
