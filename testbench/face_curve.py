"""What a frame costs when there are more faces in it: each stage's own code, one after the other in one process.

    python -m testbench.face_curve --data PEOPLE --faces 0,1,3,6,12 --frames 150 --json curve.json

PEOPLE holds a folder for each person. Portraits of different people are moved about on a canvas, each in a cell of its
own; the frames are made beforehand, and one number of faces is measured after the other. `every` is what recognition
would cost if every face was embedded in every frame, which is what `recognise` is there to avoid.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from app import values
from checkpoints.errors import DataError
from checkpoints.exit_code import exit_code
from engines.align import align
from engines.embedder import Embedder
from engines.load import load_detector, load_embedder
from engines.models import detector_model
from engines.options import EngineOptions
from engines.pursuit import Pursuit, View
from engines.quality import quality
from pipeline.stages.recognise import EMBED_BATCH, follow_settings
from testbench import engine_flags
from testbench.figures import tell
from testbench.lfw import read_people
from testbench.picture import picture
from tracker.following import Detected, Following

FPS = 25.0
CELLS = 4, 3  # across and down
SWING = 0.1  # how far a portrait moves, of its cell
PORTRAIT = 0.85  # how large it is, of the cell's shorter side
GROUND = 90  # grey
WARM_FRAMES = 25
_Result = TypeVar("_Result")


@dataclass(slots=True)
class Stages:
    """Milliseconds of each frame, by stage."""

    ms: dict[str, list[float]] = field(default_factory=dict)

    def timed(self, stage: str, work: Callable[[], _Result]) -> _Result:
        start_s = time.perf_counter()
        result = work()
        self.ms.setdefault(stage, []).append(1000 * (time.perf_counter() - start_s))
        return result


class Canvas:
    """Portraits that move about, each in a cell of its own."""

    def __init__(self, portraits: Sequence[NDArray[np.uint8]], size_wh: tuple[int, int]) -> None:
        self._size_wh = size_wh
        self._cell_wh = np.array(size_wh) / CELLS
        self._side = int(PORTRAIT * self._cell_wh.min())
        self._portraits = [cv2.resize(p, (self._side, self._side), interpolation=cv2.INTER_AREA) for p in portraits]

    def frame(self, at: int) -> NDArray[np.uint8]:
        image_bgr = np.full((self._size_wh[1], self._size_wh[0], 3), GROUND, np.uint8)
        for place, portrait in enumerate(self._portraits):
            cell = np.array([place % CELLS[0], place // CELLS[0]])
            turn = 2 * np.pi * (at / 100 + place / 7)
            middle = (cell + 0.5 + SWING * np.array([np.cos(turn), 0.3 * np.sin(2 * turn)])) * self._cell_wh
            x, y = np.clip(middle - self._side / 2, 0, np.array(self._size_wh) - self._side).astype(int)
            image_bgr[y : y + self._side, x : x + self._side] = portrait
        return image_bgr


@dataclass(frozen=True, slots=True)
class Point:
    """found  faces in a frame, on average; embedded: how many of them were
    ms     of each stage and of the whole, on average; `every`: recognise if every face was embedded each time
    """

    faces: int
    found: float
    embedded: float
    ms: dict[str, float]


def measure(
    portraits: Sequence[NDArray[np.uint8]], size_wh: tuple[int, int], frames: int, options: EngineOptions
) -> Point:
    canvas = Canvas(portraits, size_wh)
    family = detector_model(options).known.family
    with (
        closing(Pursuit(load_detector(options, size_wh=size_wh), options.detect_every)) as pursuit,
        closing(load_embedder(options, batch=EMBED_BATCH)) as embedder,
    ):
        embedder.embed(np.zeros((1, embedder.crop.size_px, embedder.crop.size_px, 3), np.uint8))
        following = Following(follow_settings(family, embedder.match_threshold))
        stages, found, embedded = Stages(), 0, 0
        for at in range(WARM_FRAMES + frames):
            if at == WARM_FRAMES:  # the first frames are slow for other reasons, and nobody is known yet
                stages, found, embedded = Stages(), 0, 0
            many, chosen = _frame(canvas.frame(at), at, pursuit, embedder, following, stages)
            found, embedded = found + many, embedded + chosen
    ms = {stage: round(float(np.mean(each)), 3) for stage, each in stages.ms.items()}
    ms["frame"] = round(ms["detect"] + ms["align"] + ms["recognise"], 3)
    ms["p95"] = round(float(np.percentile(np.sum([stages.ms[s] for s in ("detect", "align", "recognise")], 0), 95)), 3)
    return Point(len(portraits), round(found / frames, 2), round(embedded / frames, 3), ms)


def _frame(
    image_bgr: NDArray[np.uint8], at: int, pursuit: Pursuit, embedder: Embedder, following: Following, stages: Stages
) -> tuple[int, int]:
    """How many faces were found, and how many embedded."""
    (faces,) = stages.timed("detect", lambda: pursuit.detect([View("canvas", at / FPS, image_bgr)]))

    def upright() -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        crops = align(image_bgr, faces.landmarks, embedder.crop)
        return crops, quality(crops, faces.boxes_xyxy, faces.landmarks, faces.scores)

    crops, worth = stages.timed("align", upright)
    seen = Detected(faces.boxes_xyxy, faces.scores, faces.landmarks, worth)
    step = stages.timed(
        "recognise", lambda: following.step(seen, at, at / FPS, lambda rows: embedder.embed(crops[rows]))
    )
    stages.timed("every", lambda: embedder.embed(crops))
    return len(crops), sum(face.embedding is not None for face in step.faces)


def table(points: Sequence[Point]) -> str:
    lines = ["faces  found  embedded   detect    align  recognise    frame      p95    every"]
    for point in points:
        ms = point.ms
        cells = [ms[key] for key in ("detect", "align", "recognise", "frame", "p95", "every")]
        told = "".join(f"{cell:{width}.2f}" for cell, width in zip(cells, (9, 9, 11, 9, 9, 9), strict=True))
        lines.append(f"{point.faces:5d}{point.found:7.2f}{point.embedded:10.3f}{told}")
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    args = parser().parse_args(arguments)
    cv2.setNumThreads(args.threads)
    return exit_code(lambda: _curve(args))


def _curve(args: argparse.Namespace) -> int:
    portraits = first_portraits(args.data, max(args.faces))
    options = engine_flags.options(args)
    points = [measure(portraits[:many], args.size, args.frames, options) for many in args.faces]
    sys.stderr.write(table(points))
    curve = [{"faces": p.faces, "found": p.found, "embedded": p.embedded, "ms": p.ms} for p in points]
    tell({"curve": curve, "frames": args.frames} | engine_flags.told(args), args.json)
    return 0


def first_portraits(data: Path, many: int) -> list[NDArray[np.uint8]]:
    people = read_people(data)
    if len(people) < many:
        raise DataError("There are too few people.", saw=f"{len(people)} in {data}, wanted {many}")
    return [picture(paths[0]) for paths in islice(people.values(), many)]


def face_counts(text: str) -> list[int]:
    most = CELLS[0] * CELLS[1]
    try:
        counts = [int(word) for word in text.split(",")]
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text} is not a list of numbers such as 0,1,3") from error
    if not all(0 <= count <= most for count in counts):
        raise argparse.ArgumentTypeError(f"{text}: the canvas has room for 0 to {most} faces")
    return counts


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="python -m testbench.face_curve", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument("--data", type=Path, required=True, metavar="DIR", help="portraits of people")
    made.add_argument("--faces", type=face_counts, default="0,1,3,6,12", metavar="N,N,…", help="(%(default)s)")
    made.add_argument("--frames", type=engine_flags.count, default=150, metavar="N", help="of each (%(default)s)")
    made.add_argument(
        "--size", type=engine_flags.checked(values.size), default="1280x720", metavar="WxH", help="(%(default)s)"
    )
    made.add_argument("--json", type=Path, metavar="OUT", help="write the figures here")
    default = EngineOptions()
    made.add_argument(
        "--detect-every", type=engine_flags.count, default=default.detect_every, metavar="N", help="(%(default)s)"
    )
    engine_flags.add(made, default=default)
    return made


if __name__ == "__main__":
    sys.exit(main())
