"""python -m engines.build: compiles what a run will need, so that the first run starts as fast as the others.

What is built in fewer bits than fp32 is compared with fp32 and refused when it is off.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import get_args

from tqdm import tqdm

from checkpoints.exit_code import exit_code
from checkpoints.manifest import Role
from engines import fitting
from engines.engine import Engine
from engines.flags import count
from engines.load import MAX_EMBEDDER_BATCH, is_cached, load_detector, load_embedder, opener
from engines.models import names
from engines.options import Backend, EngineOptions, Precision
from engines.spec import EngineSpec


def build(config: EngineOptions, size_wh: tuple[int, int]) -> list[str]:
    """Build what a run with pictures of this size needs, compare it with fp32; one line for each engine."""
    open_engine = opener(config)
    told = []
    with tqdm(desc="engines", unit="", disable=None, leave=False) as bar:

        def opened(spec: EngineSpec) -> Engine:
            bar.set_description(f"engines: {spec.name}")
            there, start_s = is_cached(config, spec), time.perf_counter()
            engine = open_engine(spec)
            how = "already there" if there else f"built in {time.perf_counter() - start_s:.1f} s"
            width, height = spec.size_wh
            told.append(f"{spec.name} {spec.batch} × {width}×{height}: {how}")
            bar.update()
            return engine

        load_detector(config, size_wh=size_wh, open_engine=opened).close()
        load_embedder(config, batch=MAX_EMBEDDER_BATCH, open_engine=opened).close()
    return told


def main(arguments: Sequence[str] | None = None) -> int:
    args = _parser().parse_args(arguments)
    return exit_code(lambda: _build(args))


def _build(args: argparse.Namespace) -> int:
    chosen = {field.name: getattr(args, field.name) for field in fields(EngineOptions) if hasattr(args, field.name)}
    for line in build(EngineOptions(**chosen), args.size):
        sys.stdout.write(f"{line}\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    default = EngineOptions()
    parser = argparse.ArgumentParser(prog="python -m engines.build", description="Compile engines and keep them.")
    parser.add_argument("--backend", choices=get_args(Backend), default=default.backend)
    parser.add_argument("--precision", choices=get_args(Precision), default=fitting.precision("auto"))
    parser.add_argument("--detector", default=default.detector, metavar="NAME", help=_choices("detector"))
    parser.add_argument("--embedder", default=default.embedder, metavar="NAME", help=_choices("embedder"))
    parser.add_argument("--size", type=_size, default=(1280, 720), metavar="WxH", help="of the pictures")
    parser.add_argument("--cameras", type=count, default=1, help="pictures at once; makes no difference on a processor")
    parser.add_argument("--min-face", type=count, default=default.min_face_px, dest="min_face_px", metavar="PX")
    parser.add_argument("--threads", type=count, default=default.threads, help="for one inference")
    parser.add_argument("--models", type=Path, default=default.models, metavar="DIR")
    parser.add_argument("--cache", type=Path, default=default.cache, metavar="DIR", help="where engines are kept")
    return parser


def _choices(role: Role) -> str:
    return f"{', '.join(names(role))} or the path of an ONNX file (default %(default)s)"


def _size(text: str) -> tuple[int, int]:
    width, cross, height = text.lower().partition("x")
    if not (cross and width.isdecimal() and height.isdecimal() and int(width) and int(height)):
        raise argparse.ArgumentTypeError(f"{text} is not a size like 1280x720")
    return int(width), int(height)


if __name__ == "__main__":
    sys.exit(main())
