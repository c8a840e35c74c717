"""detect PATH… and identify PATH…: which faces are on photographs, and whose they are."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from app import flags, photographs, settings
from app.looking import Looker, SeenFace, looker
from app.outputs import check_writable
from app.square import SQUARE_PX
from checkpoints.errors import OutputError
from pipeline import overlay
from pipeline.messages import NamedFace

_ALL_FAILED = 1


@dataclass(frozen=True, slots=True)
class Looked:
    """problem  why the picture could not be read; faces are None then"""

    path: Path
    size_wh: tuple[int, int]
    faces: tuple[SeenFace, ...] | None
    problem: str = ""

    def __str__(self) -> str:
        if self.faces is None:
            return f"{self.path}: {self.problem}"
        count = {0: "no face", 1: "1 face"}.get(len(self.faces), f"{len(self.faces)} faces")
        return "\n".join([f"{self.path}: {count}", *(f"  {_in_words(face)}" for face in self.faces)])

    def as_json(self) -> dict[str, object]:
        said: dict[str, object] = {"path": str(self.path)}
        if self.faces is None:
            return {**said, "error": self.problem}
        return {**said, "size": list(self.size_wh), "faces": [as_json(face) for face in self.faces]}


def add_parsers(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    for name, text in (("detect", "find the faces on photographs"), ("identify", "say who is on photographs")):
        parser = commands.add_parser(
            name,
            help=text,
            description=f"{text[0].upper()}{text[1:]}, with the models and settings of a run. A picture with a side of "
            f"more than {SQUARE_PX} pixels is made smaller for it; all figures are in its own pixels.",
            allow_abbrev=False,
        )
        parser.add_argument("paths", metavar="PATH", nargs="+", type=Path, help="a picture, or a folder of pictures")
        parser.add_argument("--json", metavar="OUT", type=Path, help="write what was found to this file; -: print it")
        parser.add_argument("--drawn", metavar="DIR", type=Path, help="write the pictures with boxes to this folder")
        flags.add_flags(parser, flags.MODEL_FLAGS)
        parser.set_defaults(command=command, naming=name == "identify")


def command(args: argparse.Namespace) -> int:
    """Exit code 1 when no picture could be read."""
    prints_json = args.json is not None and str(args.json) == "-"
    if not prints_json:
        check_writable({"--json": args.json})
    paths = photographs.find(args.paths)  # before models are loaded, which takes a moment
    looked: list[Looked] = []
    with looker(settings.read(flags.given(args)), naming=args.naming) as ready:
        for one in looked_at(ready, paths, args.drawn):
            looked.append(one)
            if not prints_json:
                print(one, flush=True)
    if prints_json:
        sys.stdout.write(_json_of(looked))
    elif args.json is not None:
        _write(args.json, _json_of(looked).encode(), "--json")
    return _ALL_FAILED if all(one.faces is None for one in looked) else 0


def looked_at(ready: Looker, paths: Sequence[Path], drawn: Path | None = None) -> Iterator[Looked]:
    for number, path in enumerate(
        tqdm(paths, unit=" pictures", leave=False, disable=None if len(paths) > 1 else True), 1
    ):
        try:
            image_bgr = photographs.read(path).image_bgr
        except photographs.Unreadable as error:
            yield Looked(path, (0, 0), None, str(error))
            continue
        faces = tuple(ready.look(image_bgr))
        if drawn is not None:
            _draw(image_bgr, faces, drawn / f"{number:04}-{path.stem}.jpg")
        yield Looked(path, (image_bgr.shape[1], image_bgr.shape[0]), faces)


def as_json(face: SeenFace) -> dict[str, object]:
    """Name and what is about it only where somebody was asked who it is."""
    said: dict[str, object] = {
        "box": [round(float(v), 1) for v in face.box_xyxy],
        "landmarks": [[round(float(v), 1) for v in point] for point in face.landmarks],
        "score": round(face.score, 4),
        "quality": round(face.quality, 3),
    }
    if face.state is None:
        return said
    nearest = [[one.name, round(one.score, 4), one.picture] for one in face.nearest]
    verdict = {"name": face.name, "state": face.state, "cosine": round(face.cosine, 4), "margin": round(face.margin, 4)}
    return {**said, **verdict, "nearest": nearest}


def _in_words(face: SeenFace) -> str:
    x1, y1, x2, y2 = (round(float(v)) for v in face.box_xyxy)
    where = f"at ({x1}, {y1}), {x2 - x1}x{y2 - y1} pixels, score {face.score:.2f}, quality {face.quality:.2f}"
    if face.state is None:
        return f"a face {where}"
    if face.state == "known":
        return f"{face.name} (cosine {face.cosine:.2f}, {face.margin:.2f} ahead) {where}"
    nearest = face.nearest[0] if face.nearest else None
    who = "" if nearest is None else f" (nearest: {nearest.name or 'a stranger'}, cosine {nearest.score:.2f})"
    return f"{face.state}{who} {where}"


def _draw(image_bgr: NDArray[np.uint8], faces: Sequence[SeenFace], path: Path) -> None:
    overlay.draw(image_bgr, [_drawable(number, face) for number, face in enumerate(faces, 1)])
    _, content = cv2.imencode(".jpg", image_bgr)
    _write(path, content.tobytes(), "--drawn")


def _write(path: Path, content: bytes, flag: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    except OSError as error:
        raise OutputError(
            "What was found cannot be written.", saw=f"{flag} {path}: {error.strerror}", fix="give another place"
        ) from error


def _json_of(looked: Sequence[Looked]) -> str:
    return json.dumps([one.as_json() for one in looked], ensure_ascii=False, indent=2) + "\n"


def _drawable(number: int, face: SeenFace) -> NamedFace:
    return NamedFace(
        track=number,
        box_xyxy=face.box_xyxy,
        landmarks=face.landmarks,
        quality=face.quality,
        name=face.name,
        state=face.state or "undecided",
        score=face.cosine,
        margin=face.margin,
        votes=0,
    )
