"""Do names stay right in a crowd? Two people are enrolled from the start of a clip, then the clip is played.

    python -m testbench.names --source crowd.mp4 --json names.json --sheet people.png

The stages recognise and lookup are the program's own, in one process; faces are found and aligned as it does. Truth is
found without them (`testbench.crowd_truth`). A name is wrong when it stands on a face of anybody else.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np
from numpy.typing import NDArray

from checkpoints.errors import DataError
from checkpoints.exit_code import exit_code
from engines.align import align
from engines.load import crop_spec, load_detector, load_embedder
from engines.options import EngineOptions
from engines.pursuit import Pursuit, View
from engines.quality import quality
from pipeline.config import CameraConfig, GalleryConfig, RunConfig
from pipeline.gallery.gallery import Picture
from pipeline.gallery.opening import open_gallery
from pipeline.messages import AlignedFaces, FrameRef, Identities
from pipeline.stage import StageContext
from pipeline.stages import lookup, recognise
from testbench import engine_flags
from testbench.crowd_truth import Truth, sheet, truth
from testbench.figures import tell
from testbench.ours import frames as decoded
from testbench.peer import Task

ENROL_WITHIN = 10  # frames
FPS = 25.0


@dataclass(frozen=True, slots=True)
class NamesReport:
    """wrong       names on faces of others, of `named` in all, counted by face and frame
    held        share of the frames in which an enrolled person's face is seen that it bears its name, from the first
                name on; by person
    first_frame where that was
    seen        frames in which the person's face is found
    pieces      into how many pieces occlusions cut the person's time in the picture
    """

    frames: int
    faces: int
    people: int
    named: int
    wrong: int
    held: dict[str, float]
    first_frame: dict[str, int | None]
    seen: dict[str, int]
    pieces: dict[str, int]


def play(pictures: Sequence[NDArray[np.uint8]], options: EngineOptions, folder: Path) -> tuple[NamesReport, Truth]:
    found = _truth(pictures, options)
    enrolled = _enrol(found, options, folder)
    config = RunConfig(
        (CameraConfig("0", "clip", "clip"),), engines=options, gallery=GalleryConfig(folder, unknown_days=0)
    )
    told = _told(pictures, config)
    return _report(found, enrolled, told), found


def _truth(pictures: Sequence[NDArray[np.uint8]], options: EngineOptions) -> Truth:
    height, width = pictures[0].shape[:2]
    with (
        closing(load_detector(options, size_wh=(width, height))) as detector,
        closing(load_embedder(options)) as embedder,
    ):
        frames = []
        for number, picture in enumerate(pictures):
            (faces,) = detector.detect([picture])
            frames.append(_aligned(number, picture, faces.boxes_xyxy, faces.scores, faces.landmarks, options))
        return truth(frames, [embedder.embed(frame.crops_bgr) for frame in frames])


def _aligned(
    number: int,
    picture: NDArray[np.uint8],
    boxes: NDArray[np.float32],
    scores: NDArray[np.float32],
    landmarks: NDArray[np.float32],
    options: EngineOptions,
) -> AlignedFaces:
    crops = align(picture, landmarks, crop_spec(options))
    worth = quality(crops, boxes, landmarks, scores)
    at_ns = round(number / FPS * 1e9)
    ref = FrameRef("0", 0, number, number / FPS, at_ns, 0, (picture.shape[1], picture.shape[0]))
    return AlignedFaces(ref, boxes, scores, landmarks, crops, worth)


def _enrol(found: Truth, options: EngineOptions, folder: Path) -> dict[str, int]:
    """The two people who are seen longest and are there at the start, each by the best picture of it."""
    at_start = [
        (index, [frame for frame in person.places if frame < ENROL_WITHIN]) for index, person in enumerate(found.people)
    ]
    chosen = [(index, early) for index, early in at_start if early][:2]
    if len(chosen) < 2:
        raise DataError("Nobody can be enrolled.", saw=f"{len(chosen)} people in the first {ENROL_WITHIN} frames")
    embedder = load_embedder(options, batch=1)
    gallery = open_gallery(folder, space=embedder.space, dim=embedder.dim)
    names = {}
    for index, early in chosen:
        places = found.people[index].places
        frame = max(early, key=lambda at: float(found.frames[at].quality[places[at]]))
        row = places[frame]
        names[f"person {index}"] = index
        gallery.add(
            f"person {index}",
            [Picture(found.embeddings[frame][row], f"{frame}-{row}", float(found.frames[frame].quality[row]))],
        )
    gallery.close()
    embedder.close()
    return names


def _told(pictures: Sequence[NDArray[np.uint8]], config: RunConfig) -> list[Identities]:
    def context(stage: str) -> StageContext:
        return StageContext(stage, config, None, 0, _silent, _silent, _silent, _silent)

    height, width = pictures[0].shape[:2]
    detector = load_detector(config.engines, size_wh=(width, height))
    pursuit = Pursuit(detector, config.engines.detect_every)
    told = []
    with (
        closing(recognise.open_stage(context("recognise"))) as following,
        closing(lookup.open_stage(context("lookup"))) as naming,
    ):
        for number, picture in enumerate(pictures):
            (faces,) = pursuit.detect([View("0", number / FPS, picture)])
            aligned = _aligned(number, picture, faces.boxes_xyxy, faces.scores, faces.landmarks, config.engines)
            told += naming.work(following.work([aligned]))
    pursuit.close()
    return told


def _report(found: Truth, enrolled: dict[str, int], told: Sequence[Identities]) -> NamesReport:
    named = wrong = 0
    right: dict[str, set[int]] = {name: set() for name in enrolled}
    for frame, identities in enumerate(told):
        for face in identities.faces:
            if face.name is None:
                continue
            named += 1
            who = found.who(frame, face.box_xyxy)
            if who == enrolled[face.name]:
                right[face.name].add(frame)
            else:
                wrong += 1
    first = {name: min(frames, default=None) for name, frames in right.items()}
    after = {
        name: [frame for frame in found.people[index].places if first[name] is not None and frame >= (first[name] or 0)]
        for name, index in enrolled.items()
    }
    return NamesReport(
        frames=len(told),
        faces=sum(len(one.faces) for one in told),
        people=len(found.people),
        named=named,
        wrong=wrong,
        held={name: round(len(right[name] & set(seen)) / max(len(seen), 1), 4) for name, seen in after.items()},
        first_frame=first,
        seen={name: len(found.people[index].places) for name, index in enrolled.items()},
        pieces={name: found.people[index].pieces for name, index in enrolled.items()},
    )


def _silent(_: object) -> None:
    """Nobody is at the terminal of a measurement."""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m testbench.names", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--source", type=Path, required=True, metavar="FILE", help="a clip of several people")
    parser.add_argument("--size", type=int, nargs=2, default=(1280, 720), metavar=("W", "H"), help="working size")
    parser.add_argument("--frames", type=engine_flags.count, default=1000, metavar="N", help="at most (%(default)s)")
    parser.add_argument("--sheet", type=Path, metavar="PNG", help="draw whom the truth takes for one person")
    parser.add_argument("--json", type=Path, metavar="OUT", help="write the figures here")
    engine_flags.add(parser, default=EngineOptions())
    args = parser.parse_args(arguments)
    return exit_code(lambda: _measure(args))


def _measure(args: argparse.Namespace) -> int:
    pictures = decoded(
        Task("pipeline", args.source, (args.size[0], args.size[1]), args.frames, args.threads, args.min_face_px)
    )
    with TemporaryDirectory(prefix="facewire-names-") as folder:
        report, found = play(pictures, engine_flags.options(args), Path(folder) / "gallery")
    if args.sheet is not None:
        cv2.imwrite(str(args.sheet), sheet(found))
    tell(asdict(report) | engine_flags.told(args), args.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
