"""Ask a teacher about each sample, so that a network learns how sure it may be and not only what is right.

    python -m training.distill onet --samples SAMPLES/onet --by mtcnn_reference
    python -m training.distill pnet --samples SAMPLES/pnet --by RUN/pnet_large/best.pt
    python -m training.distill onet --samples SAMPLES/onet --by yunet
    python -m training.train onet --samples SAMPLES/onet --out RUN/onet --teacher 0.5

The teacher is a network for the same part (a cascade's name, a folder, a checkpoint or an ONNX file), or a whole
detector such as yunet. What it says lies beside the samples that are taught from, as teacher.npy.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from checkpoints import manifest
from checkpoints.errors import OutputError
from checkpoints.exit_code import GOES_ON, exit_code
from engines.flags import count
from engines.load import load_detector, opener
from engines.options import EngineOptions
from training import teacher_odds
from training.net_score import ask
from training.piece_sheet import SHEET_WH, PieceSheet
from training.samples import open_samples
from training.shapes import PARTS, Part
from training.trio import Trio, network

# (N, S, S, 3) bytes → (N,) log odds
Teacher = Callable[[NDArray[np.uint8]], NDArray[np.float32]]

_CHUNK = 2048
_BATCH = 64


def distill(part: Part, folder: Path, name: str, teacher: Teacher) -> int:
    """How many samples in FOLDER it was asked about; goes on where an earlier call with the same name stopped."""
    pieces = open_samples(folder, part)
    key = hashlib.sha256(f"{name} {len(pieces)}".encode()).hexdigest()[:12]
    path = folder / f"teacher-{key}.part"
    try:
        with path.open("ab") as file:
            done = file.tell() // 4
            file.truncate(4 * done)
            with tqdm(total=len(pieces), initial=done, desc=name, unit=" samples", disable=None, leave=False) as bar:
                for at in range(done, len(pieces), _CHUNK):
                    odds = teacher(np.asarray(pieces.pictures[at : at + _CHUNK]))
                    file.write(odds.astype("<f4").tobytes())
                    file.flush()
                    bar.update(len(odds))
        teacher_odds.write(folder, np.fromfile(path, "<f4"))
        path.unlink()
    except OSError as error:
        raise OutputError(
            "What the teacher says cannot be written.",
            saw=f"{path}: {error.strerror}",
            fix="Make room, then run the same command again: it goes on.",
        ) from error
    return len(pieces)


@contextmanager
def network_teacher(part: Part, place: str, config: EngineOptions, scratch: Path) -> Iterator[Teacher]:
    trio = Trio(place, {part: network(part, place, config, scratch)})
    with closing(trio.engine(opener(config), part, batch=_BATCH)) as engine:
        yield lambda pictures: ask(engine, pictures).odds


@contextmanager
def detector_teacher(config: EngineOptions) -> Iterator[Teacher]:
    with closing(load_detector(config, size_wh=SHEET_WH)) as detector:
        yield PieceSheet(detector).odds


def main(arguments: Sequence[str] | None = None) -> int:
    args = _parser().parse_args(arguments)
    cv2.setNumThreads(args.threads)
    return exit_code(lambda: _distill(args), GOES_ON)


def ask_by_name(part: Part, samples: Path, name: str, config: EngineOptions) -> int:
    """How many of the samples it was asked about: a network, or a whole detector."""
    with TemporaryDirectory() as scratch:
        config = replace(config, precision="fp32", cache=Path(scratch))
        with _teacher(part, name, config, Path(scratch)) as teacher:
            return distill(part, samples / "taught", name, teacher)


def _distill(args: argparse.Namespace) -> int:
    config = EngineOptions(threads=args.threads, models=args.models)
    count = ask_by_name(args.part, args.samples, args.by, config)
    sys.stdout.write(f"{args.by} was asked about {count} samples.\n")
    return 0


@contextmanager
def _teacher(part: Part, name: str, config: EngineOptions, scratch: Path) -> Iterator[Teacher]:
    known = manifest.load(name) if name in manifest.names() else None
    if known is not None and known.role == "detector" and known.family != "mtcnn":
        config = PieceSheet.options(config, name)
        with detector_teacher(config) as teacher:
            yield teacher
    else:
        with network_teacher(part, name, config, scratch) as teacher:
            yield teacher


def _parser() -> argparse.ArgumentParser:
    default = EngineOptions()
    parser = argparse.ArgumentParser(
        prog="python -m training.distill", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("part", choices=PARTS)
    parser.add_argument("--samples", type=Path, required=True, help="a folder that training.mine has written")
    parser.add_argument("--by", required=True, metavar="TEACHER", help="network or detector")
    parser.add_argument("--threads", type=count, default=1, help="(%(default)s)")
    parser.add_argument("--models", type=Path, default=default.models, metavar="DIR", help="folder of the model files")
    return parser


if __name__ == "__main__":
    sys.exit(main())
