"""Brings labelled pictures into the one format that training reads (`training.labels`).

    python -m training.prepare teach PEOPLE --out data/training/people
    python -m training.prepare teach BACKGROUNDS --out data/training/backgrounds --no-faces
    python -m training.prepare boxes wider_face_split/wider_face_train_bbx_gt.txt WIDER_train/images --out TRAIN
    python -m training.prepare boxes wider_face_split/wider_face_val.mat WIDER_val/images --out VAL --landmarks teacher
    python -m training.prepare boxes gt.txt images --out MINE --landmarks label.txt
    python -m training.prepare boxes gt.txt images --check

teach  Pictures without labels, in folders of any depth: two detectors say where faces are.
boxes  Pictures with a list of boxes in the text format of WIDER FACE, or in its MATLAB files. Landmarks come from a
       list (training/landmark_list.py), from the two detectors where they find the same boxes, or are left unknown.

An interrupted run goes on where it stopped when it is started again.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from checkpoints.errors import DataError
from checkpoints.exit_code import GOES_ON, exit_code
from engines.flags import count
from engines.options import EngineOptions
from training import labels, landmark_list, listed, pictures
from training.label_writer import Writer
from training.labelling import LeftOut, label, readable
from training.listed import Listed, PointsOf
from training.pictures import Broken
from training.teacher import LEADING, SECOND, Teacher

_TEACHER = "teacher"
_SHOWN = 20  # of what was left out or odd; a check shows all


def teach(args: argparse.Namespace) -> int:
    paths = pictures.find(args.images)[: args.limit]
    made = f"{LEADING} and {SECOND}" + (", no faces" if args.no_faces else "")
    with Writer(args.out, args.images, made) as writer, Teacher(_options(args), _size_wh(paths)) as teacher:
        left_out = label(paths, writer, lambda _, image_bgr: teacher.marks(image_bgr, background=args.no_faces))
    _tell_left_out(left_out)
    return _tell_made(args.out)


def boxes(args: argparse.Namespace) -> int:
    known = listed.read(args.labels)[: args.limit]
    missing = set(listed.missing_ones(known, args.images))
    if missing and not args.partial:
        raise DataError(
            "Pictures of the list are missing.",
            saw=f"{len(missing)} of {len(known)}, {args.images / min(missing)} is the first",
            fix="Download or unpack the rest (--check names all), or give --partial to go on without them.",
        )
    paths = [args.images / picture.name for picture in known if picture.name not in missing]
    made = f"{args.labels.name}, landmarks: {args.landmarks or 'none'}"
    with Writer(args.out, args.images, made) as writer, _points(args, paths) as points_of:
        pictures_listed = Listed(known, args.images, points_of)
        left_out = label(paths, writer, pictures_listed.marks)
    _tell_left_out([LeftOut(args.images / name, "missing") for name in sorted(missing)] + left_out)
    for kind, times in sorted(pictures_listed.oddities.counts.items()):
        if times:
            sys.stderr.write(f"boxes {kind}: {times}\n")
    return _tell_made(args.out)


def check(args: argparse.Namespace) -> int:
    """Shows all that is wrong with pictures and boxes and writes nothing; 1 where a picture is not usable."""
    known = listed.read(args.labels)[: args.limit]
    missing = set(listed.missing_ones(known, args.images))
    pictures_listed = Listed(known, args.images, lambda *_: None)
    left_out = [LeftOut(args.images / name, "missing") for name in sorted(missing)]
    for path, image_bgr in readable([args.images / one.name for one in known if one.name not in missing], left_out):
        pictures_listed.marks(path, image_bgr)
    oddities = pictures_listed.oddities
    for line in [f"{each.path}: {each.why}" for each in left_out] + oddities.places:
        sys.stdout.write(f"{line}\n")
    counts = ", ".join(f"{times} boxes {kind}" for kind, times in sorted(oddities.counts.items()) if times)
    sys.stdout.write(f"{len(known)} pictures, {len(left_out)} of them missing or broken; {counts or 'no odd boxes'}\n")
    return 1 if left_out else 0


@contextmanager
def _points(args: argparse.Namespace, paths: Sequence[Path]) -> Iterator[PointsOf]:
    if args.landmarks is None:
        yield lambda *_: None
    elif args.landmarks != _TEACHER:
        found = landmark_list.read(Path(args.landmarks))
        yield lambda name, _: found.get(name)
    else:
        with Teacher(_options(args), _size_wh(paths)) as teacher:
            yield lambda _, image_bgr: teacher.points(image_bgr)


def _options(args: argparse.Namespace) -> EngineOptions:
    return EngineOptions(threads=args.threads, models=args.models, cache=args.cache)


def _size_wh(paths: Sequence[Path]) -> tuple[int, int]:
    """Of the first picture that can be read: most of a folder have the same."""
    for path in paths:
        try:
            height, width, _ = pictures.read(path).shape
        except Broken:
            continue
        return width, height
    raise DataError("None of these pictures can be read.", saw=f"{len(paths)} pictures")


def _tell_left_out(left_out: Sequence[LeftOut]) -> None:
    for each in left_out[:_SHOWN]:
        sys.stderr.write(f"left out: {each.path}: {each.why}\n")
    if len(left_out) > _SHOWN:
        sys.stderr.write(f"left out: {len(left_out) - _SHOWN} more\n")


def _tell_made(out: Path) -> int:
    made = labels.read(out)
    ignored = sum(int(np.count_nonzero(each.ignored)) for each in made)
    faces = sum(len(each.ignored) for each in made) - ignored
    known = sum(int(np.isfinite(each.landmarks[~each.ignored]).all(axis=(1, 2)).sum()) for each in made)
    told = f"{len(made)} pictures, {faces} faces, {known} of them with landmarks, {ignored} places to be ignored"
    sys.stdout.write(f"{out}: {told}\n")
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    args = _arguments(arguments)
    return exit_code(lambda: _prepare(args), "Stopped." if args.check else GOES_ON)


def _prepare(args: argparse.Namespace) -> int:
    if args.kind == "teach":
        return teach(args)
    return check(args) if args.check else boxes(args)


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--limit", type=count, help="only the first so many pictures")
    shared.add_argument("--threads", type=count, default=1, help="of the detectors that teach")
    shared.add_argument("--models", type=Path, default=Path("data/models"), help="folder of the model files")
    shared.add_argument("--cache", type=Path, default=Path("data/engines"), help="folder of compiled engines")
    parser = argparse.ArgumentParser(
        prog="python -m training.prepare", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    kinds = parser.add_subparsers(dest="kind", required=True)
    taught = kinds.add_parser("teach", parents=[shared], help="pictures without labels")
    taught.add_argument("images", type=Path, help="folder with pictures")
    taught.add_argument("--out", type=Path, required=True, help="folder for labels.jsonl")
    taught.set_defaults(check=False)
    taught.add_argument("--no-faces", action="store_true", help="what looks like a face is ignored, not learned")
    boxed = kinds.add_parser("boxes", parents=[shared], help="pictures with a list of boxes")
    boxed.add_argument("labels", type=Path, help="the list: .txt or .mat")
    boxed.add_argument("images", type=Path, help="folder in which the listed names begin")
    does = boxed.add_mutually_exclusive_group(required=True)
    does.add_argument("--out", type=Path, help="folder for labels.jsonl")
    does.add_argument("--check", action="store_true", help="show what is missing, broken or odd, and write nothing")
    boxed.add_argument("--landmarks", metavar="FILE", help=f"a list of landmarks, or '{_TEACHER}'")
    boxed.add_argument("--partial", action="store_true", help="go on without the pictures that are missing")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
