"""How good the models are, on labelled pictures.

    python -m testbench.accuracy detect --data FACES --min-face 20 --json detect.json
    python -m testbench.accuracy detect --data FACES --detector yunet --thresholds 0.3
    python -m testbench.accuracy verify --data PEOPLE --pairs pairs.txt --embedder facenet --precision int8
    python -m testbench.accuracy identify --data PEOPLE --limit 200
    python -m testbench.accuracy identify --data PEOPLE --matcher svm --enrolled 3 --shots 5 --calibrated other-half
    python -m testbench.accuracy track --seeds 10 --json track.json

detect    FACES holds images/ and gt.txt, the boxes in the text format of WIDER FACE. The average precision counts all
          detections, so it rises with lower --thresholds: by the long tail of the curve, at the price of more work.
verify    PEOPLE holds a folder for each person, the pairs are listed in the format of Labeled Faces in the Wild.
identify  People with several pictures are enrolled with the first one; people with one picture are strangers.
track     Faces that move through synthetic scenes with known truth; no models and no pictures are needed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict
from itertools import islice
from pathlib import Path

from checkpoints.exit_code import exit_code
from engines.load import load_detector, load_embedder
from engines.options import EngineOptions
from testbench import detection, engine_flags, identify_flags, tracking, verification
from testbench.figures import tell
from testbench.lfw import read_pairs, read_people
from testbench.picture import picture
from testbench.portraits import BATCH
from training.wider_face import picture_path, read_folder

_DETECT_MIN_FACE_PX = 20  # photographs are labelled down to smaller faces than a camera's user cares for


def detect(args: argparse.Namespace) -> dict[str, object]:
    pictures = read_folder(args.data)[: args.limit]
    first = picture(picture_path(args.data, pictures[0]))
    with closing(load_detector(engine_flags.options(args), size_wh=(first.shape[1], first.shape[0]))) as detector:
        report = detection.measure(detector, args.data, pictures, args.min_height)
    return {
        "ap": round(report.score.ap, 4),
        "recall_at_1fppi": round(report.score.recall_at_1fppi, 4),
        "ms_per_image": round(report.ms_per_image, 3),
        "images": len(pictures),
        "faces": report.faces,
        "recall": round(report.score.recall, 4),
        "false_positives": report.score.wrong,
        "min_height": args.min_height,
    }


def verify(args: argparse.Namespace) -> dict[str, object]:
    pairs = read_pairs(args.pairs, args.data)
    if args.limit is not None:
        pairs = pairs.first(args.limit)
    first = picture(pairs.paths[0][0])
    options = engine_flags.options(args)
    with (
        closing(load_detector(options, size_wh=(first.shape[1], first.shape[0]))) as detector,
        closing(load_embedder(options, batch=BATCH)) as embedder,
    ):
        return _rounded(asdict(verification.measure(detector, embedder, pairs)))


def identify(args: argparse.Namespace) -> dict[str, object]:
    people = dict(islice(read_people(args.data).items(), args.limit))
    return _rounded(identify_flags.report(args, people, engine_flags.options(args)))


_MEASURES: Mapping[str, tuple[Callable[[argparse.Namespace], dict[str, object]], str]] = {
    "detect": (detect, "how many faces are found, and how many boxes are none"),
    "verify": (verify, "whether two pictures show one person"),
    "identify": (identify, "who is named rightly while strangers are not named"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    args = parser().parse_args(arguments)
    return exit_code(lambda: _measured(args))


def _measured(args: argparse.Namespace) -> int:
    if args.measure == "track":
        tell(tracking.measure(args.seeds), args.json)
        return 0
    measure, _ = _MEASURES[args.measure]
    tell(measure(args) | engine_flags.told(args) | {"limit": args.limit}, args.json)
    return 0


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="python -m testbench.accuracy", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    measures = made.add_subparsers(dest="measure", required=True, metavar="|".join([*_MEASURES, "track"]))
    for name, (_, told) in _MEASURES.items():
        one = measures.add_parser(name, help=told, description=__doc__, formatter_class=made.formatter_class)
        one.add_argument("--data", type=Path, required=True, metavar="DIR", help="the labelled pictures")
        if name == "verify":
            one.add_argument("--pairs", type=Path, required=True, metavar="FILE", help="which pictures to compare")
        if name == "detect":
            engine_flags.add(one, default=EngineOptions(min_face_px=_DETECT_MIN_FACE_PX), embedder=False)
            one.add_argument(
                "--min-height",
                type=float,
                default=0.0,
                metavar="PX",
                help="lower faces need not be found (%(default)g)",
            )
        else:
            engine_flags.add(one, default=EngineOptions())
        if name == "identify":
            identify_flags.add(one)
        what = {"detect": "pictures", "verify": "pairs, as many of each fold and kind", "identify": "people"}[name]
        one.add_argument("--limit", type=engine_flags.count, metavar="N", help=f"a short run: the first N {what}")
        one.add_argument("--json", type=Path, metavar="OUT", help="write the figures here")
    _add_track(measures)
    return made


def _add_track(measures: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    one = measures.add_parser(
        "track",
        help="whether faces keep their ids",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    one.add_argument(
        "--seeds", type=engine_flags.count, default=10, metavar="N", help="scenes of each kind (%(default)s)"
    )
    one.add_argument("--json", type=Path, metavar="OUT", help="write the figures here")


def _rounded(figures: Mapping[str, object]) -> dict[str, object]:
    def short(value: object) -> object:
        if isinstance(value, Mapping):
            return {key: short(each) for key, each in value.items()}
        return round(value, 4) if isinstance(value, float) else value

    return {key: short(value) for key, value in figures.items()}


if __name__ == "__main__":
    sys.exit(main())
