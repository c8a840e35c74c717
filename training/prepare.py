"""Brings labelled pictures into the one format that training reads (`training.labels`).

    python -m training.prepare teach PEOPLE --out data/training/people
    python -m training.prepare teach BACKGROUNDS --out data/training/backgrounds --no-faces

teach  Pictures without labels, in folders of any depth: two detectors say where faces are.

An interrupted run goes on where it stopped when it is started again.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from checkpoints.errors import DataError, UserError
from engines.options import EngineOptions
from training import pictures
from training.labels import Labelled, Writer
from training.pictures import Broken
from training.teacher import LEADING, SECOND, Teacher


@dataclass(frozen=True, slots=True)
class Broke:
    """A picture that is left out, and why."""

    path: Path
    why: str


def teach(images: Path, out: Path, config: EngineOptions, *, no_faces: bool, limit: int | None) -> list[Broke]:
    """Labels for all pictures below `images`; those that cannot be read are left out and named.

    no_faces  for backgrounds that show people here and there: these are ignored, not learned as faces
    """
    paths = pictures.find(images)[:limit]
    made = f"{LEADING} and {SECOND}" + (", no faces" if no_faces else "")
    broke = []
    with Writer(out, images, made) as writer:
        left = [path for path in paths if writer.name(path) not in writer.done]
        if left:
            with Teacher(config, _size_wh(left)) as teacher:
                for path in tqdm(left, desc=images.name, unit="", disable=None):
                    try:
                        image_bgr = pictures.read(path)
                    except Broken as error:
                        broke.append(Broke(path, str(error)))
                        continue
                    marks = teacher.marks(image_bgr, background=no_faces)
                    writer.add(Labelled.of(path, (image_bgr.shape[1], image_bgr.shape[0]), marks))
        if not writer.done:
            raise DataError("None of these pictures can be read.", saw=f"{len(broke)} broken ones in {images}")
        writer.finish()
    return broke


def _size_wh(paths: Sequence[Path]) -> tuple[int, int]:
    for path in paths:
        try:
            height, width, _ = pictures.read(path).shape
        except Broken:
            continue
        return width, height
    raise DataError("None of these pictures can be read.", saw=f"{len(paths)} broken ones, {paths[0]} is the first")


def main(arguments: Sequence[str] | None = None) -> int:
    args = _arguments(arguments)
    try:
        config = EngineOptions(backend="openvino", threads=args.threads, models=args.models, cache=args.cache)
        broke = teach(args.images, args.out, config, no_faces=args.no_faces, limit=args.limit)
        for each in broke:
            sys.stderr.write(f"left out: {each.path}: {each.why}\n")
    except UserError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m training.prepare",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    kinds = parser.add_subparsers(dest="kind", required=True)
    taught = kinds.add_parser("teach", help="pictures without labels: two detectors say where faces are")
    taught.add_argument("images", type=Path, help="folder with pictures")
    taught.add_argument("--out", type=Path, required=True, help="folder for labels.jsonl")
    taught.add_argument("--no-faces", action="store_true", help="backgrounds: what looks like a face is ignored")
    taught.add_argument("--limit", type=int, help="only the first so many pictures")
    taught.add_argument("--threads", type=int, default=1, help="of the detectors")
    taught.add_argument("--models", type=Path, default=Path("data/models"), help="folder of the model files")
    taught.add_argument("--cache", type=Path, default=Path("data/engines"), help="folder of compiled engines")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
