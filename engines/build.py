"""python -m engines.build: compiles what a run will need, so that the first run starts as fast as the others."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import get_args

from tqdm import tqdm

from checkpoints.errors import UserError
from engines.canvas import plan
from engines.load import (
    DETECTORS,
    EMBEDDERS,
    MAX_EMBEDDER_BATCH,
    detector_specs,
    embedder_specs,
    is_cached,
    opener,
)
from engines.options import Backend, EngineOptions, Precision
from engines.spec import EngineSpec


def wanted(config: EngineOptions, size_wh: tuple[int, int]) -> list[EngineSpec]:
    """All engines of a run with pictures of this size."""
    detector = detector_specs(config)
    canvas_wh = plan(size_wh, config.min_face_px, config.pyramid_factor).size_wh
    looks = [detector.pnet(canvas_wh)] if canvas_wh != (0, 0) else []
    return [*looks, detector.rnet(), detector.onet(), *embedder_specs(config, MAX_EMBEDDER_BATCH)]


def build(config: EngineOptions, size_wh: tuple[int, int]) -> list[str]:
    """Build what is not there; one line for each engine."""
    open_engine = opener(config)
    told = []
    for spec in tqdm(wanted(config, size_wh), desc="engines", unit="", disable=None, leave=False):
        there, start_s = is_cached(config, spec), time.perf_counter()
        open_engine(spec).close()
        how = "already there" if there else f"built in {time.perf_counter() - start_s:.1f} s"
        width, height = spec.size_wh
        told.append(f"{spec.name} {spec.batch} × {width}×{height}: {how}")
    return told


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    chosen = {
        field.name: getattr(options, field.name) for field in fields(EngineOptions) if hasattr(options, field.name)
    }
    try:
        for line in build(EngineOptions(**chosen), options.size):
            sys.stdout.write(f"{line}\n")
    except UserError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    default = EngineOptions()
    parser = argparse.ArgumentParser(prog="python -m engines.build", description="Compile engines and keep them.")
    parser.add_argument("--backend", choices=get_args(Backend), default=default.backend)
    parser.add_argument("--precision", choices=get_args(Precision), default=default.precision)
    parser.add_argument("--detector", choices=DETECTORS, default=default.detector)
    parser.add_argument("--embedder", choices=EMBEDDERS, default=default.embedder)
    parser.add_argument("--size", type=_size, default=(1280, 720), metavar="WxH", help="of the pictures")
    parser.add_argument("--cameras", type=int, default=1, help="pictures at once; makes no difference on a processor")
    parser.add_argument("--min-face", type=int, default=default.min_face_px, dest="min_face_px", metavar="PX")
    parser.add_argument("--threads", type=int, default=default.threads, help="for one inference")
    parser.add_argument("--models", type=Path, default=default.models, metavar="DIR")
    parser.add_argument("--cache", type=Path, default=default.cache, metavar="DIR", help="where engines are kept")
    return parser


def _size(text: str) -> tuple[int, int]:
    width, cross, height = text.lower().partition("x")
    if not (cross and width.isdecimal() and height.isdecimal() and int(width) and int(height)):
        raise argparse.ArgumentTypeError(f"{text} is not a size like 1280x720")
    return int(width), int(height)


if __name__ == "__main__":
    sys.exit(main())
