"""Who is found by a photograph that was cut from a clip, and who is taken for somebody else.

The truth says of each person where the face is in which clips, and at which moment the photograph is cut. A sighting
belongs to the person whose place in its clip is nearest. Strangers are people who are in no clip.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from math import hypot
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from app import settings
from app.archive.crew import Crew
from app.archive.finding import faces_of, find
from app.archive.indexing import index
from app.archive.opening import eyes_of, shelf_of
from app.archive.progress import Bar
from app.archive.shelf import EVERYTHING, SIGHTING, Shelf
from app.archive.sighting import Sighting, sighting_of
from app.archive.sources import find as recordings
from app.settings import Settings
from app.square import SQUARE_PX
from checkpoints.errors import DataError
from engines.detector import Detector
from engines.load import load_detector, load_embedder
from pipeline.config import CameraConfig
from pipeline.video import VideoReader

_TRUTH = Path(__file__).with_name("archive_truth.json")
_NEAR = 0.06  # parts of the picture, between a sighting's best moment and its place in the truth
_AROUND = 1.5  # sides of a photograph in sides of the face: in a crowd others would be on it, too


@dataclass(frozen=True, slots=True)
class Spot:
    """Where somebody's face is in these clips, in parts of the picture, and when the photograph is cut."""

    clips: tuple[str, ...]
    at_s: float
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Asked:
    """A photograph of a person, cut from a clip. person None: a stranger"""

    person: str | None
    clip: str
    path: Path


def add_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--videos", type=Path, required=True, help="folder of the clips that the truth tells of")
    parser.add_argument("--truth", type=Path, default=_TRUTH, help="who is where (%(default)s)")
    parser.add_argument("--strangers", type=Path, help="folder of NAME/*.jpg, people who are in no clip")
    parser.add_argument("--most", type=int, default=500, help="strangers that are asked for (%(default)s)")


def measure(args: argparse.Namespace) -> dict[str, object]:
    truth = _truth(args.truth)
    with tempfile.TemporaryDirectory(prefix="facewire-archive-") as folder:
        home = Path(folder)
        chosen = settings.read({"ARCHIVE_DIR": str(home / "archive")})
        shelf = shelf_of(chosen)
        with closing(shelf):
            with Crew(eyes_of(chosen), address=None, workers=None) as crew, Bar(sys.stderr) as bar:
                index(recordings([str(args.videos)]).files, shelf, crew, bar)
            seen = {
                point.id: sighting_of(point.id, point.payload, np.zeros(0, np.float32))
                for point in shelf.points(SIGHTING)
            }
            whose = {one: _person(sighting, truth) for one, sighting in seen.items()}
            with _Camera(chosen) as camera:
                cut = list(_photographs(truth, args.videos, camera, home))
                known = _asked(cut, camera, shelf, chosen, seen, whose)
                strangers = _asked(list(_strangers(args)), camera, shelf, chosen, seen, whose)
    figures = {
        "sightings": len(seen),
        "of_nobody_in_the_truth": [
            f"{seen[one].camera} {seen[one].box}" for one, name in whose.items() if name is None
        ],
        "people": known,
        "strangers": strangers,
    }
    is_kept = strangers["wrong_for_each_find"] <= chosen.archive.false_sightings
    return {**figures, "passed": is_kept and known["recall"] >= 0.9}


class _Camera:
    """What looks at photographs; a context."""

    def __init__(self, chosen: Settings) -> None:
        options = eyes_of(chosen).engines
        self.detector: Detector = load_detector(options, size_wh=(SQUARE_PX, SQUARE_PX))
        self.embedder = load_embedder(options, batch=1)

    def __enter__(self) -> _Camera:
        return self

    def __exit__(self, *_: object) -> None:
        self.detector.close()
        self.embedder.close()


def _asked(
    asked: Sequence[Asked],
    camera: _Camera,
    shelf: Shelf,
    chosen: Settings,
    seen: dict[str, Sighting],
    whose: dict[str, str | None],
) -> dict[str, Any]:
    """Over all photographs: what was listed, what of it was right, and what should have been listed."""
    refused: list[str] = []
    confused: list[str] = []
    listed = right = expected = elsewhere_expected = elsewhere = 0
    for one in asked:
        rows, problems = faces_of([one.path], camera.detector, camera.embedder)
        if not rows:
            refused += problems
            continue
        wanted = {seen_id for seen_id, name in whose.items() if name is not None and name == one.person}
        others = {seen_id for seen_id in wanted if Path(seen[seen_id].file).name != one.clip}
        found = {hit.sighting.id for hit in find(shelf, np.stack(rows), EVERYTHING, chosen, limit=1000).hits}
        confused += [f"{one.person or 'a stranger'} in {one.path.stem}: {whose[seen_id]}" for seen_id in found - wanted]
        listed, right, expected = listed + len(found), right + len(found & wanted), expected + len(wanted)
        elsewhere, elsewhere_expected = elsewhere + len(found & others), elsewhere_expected + len(others)
    used = len(asked) - len(refused)
    return {
        "photographs": len(asked),
        "refused": len(refused),
        "refusals": [text.rpartition("/")[2] for text in refused[:20]],
        "listed": listed,
        "confusions": confused[:20],
        "wrong": listed - right,
        "wrong_for_each_find": round((listed - right) / max(used, 1), 4),
        "precision": round(right / max(listed, 1), 4),
        "recall": round(right / max(expected, 1), 4),
        "recall_in_other_clips": round(elsewhere / max(elsewhere_expected, 1), 4),
    }


def _photographs(truth: dict[str, list[Spot]], videos: Path, camera: _Camera, home: Path) -> Iterator[Asked]:
    """Of every person in every clip in which the face is found at that moment."""
    for person, spots in truth.items():
        for spot in spots:
            for clip in spot.clips:
                photo_bgr = _cut(_frame(videos / clip, spot.at_s), spot, camera.detector)
                if photo_bgr is not None:
                    path = home / f"{person} {clip}.png"
                    cv2.imwrite(str(path), photo_bgr)
                    yield Asked(person, clip, path)


def _cut(image_bgr: NDArray[np.uint8], spot: Spot, detector: Detector) -> NDArray[np.uint8] | None:
    height, width = image_bgr.shape[:2]
    (faces,) = detector.detect([image_bgr])
    corners = faces.boxes_xyxy.reshape(-1, 2, 2)
    sides = corners[:, 1] - corners[:, 0]
    away = np.abs((corners.mean(axis=1) - (spot.x * width, spot.y * height)) / sides).max(axis=1)
    if not len(away) or away.min() > 0.5:  # the spot is in nobody's box
        return None
    left, top, right, bottom = faces.boxes_xyxy[int(away.argmin())]
    x, y, half = (left + right) / 2, (top + bottom) / 2, _AROUND / 2 * max(right - left, bottom - top)
    rows = slice(max(0, round(y - half)), round(y + half))
    columns = slice(max(0, round(x - half)), round(x + half))
    return image_bgr[rows, columns]


def _frame(clip: Path, at_s: float) -> NDArray[np.uint8]:
    if not clip.exists():
        raise DataError("A clip of the truth is not there.", saw=str(clip), fix="name its folder with --videos")
    with closing(VideoReader(CameraConfig("", str(clip), str(clip)))) as reader:
        image_bgr = np.empty((reader.size_wh[1], reader.size_wh[0], 3), np.uint8)
        picture = next((one for shown_s, one in reader.frames() if shown_s - reader.began_s >= at_s), None)
        if picture is None:
            raise DataError("A clip of the truth ends too early.", saw=f"{clip}: nothing at {at_s} s", fix="correct it")
        reader.fill(picture, image_bgr)
    return image_bgr


def _person(seen: Sighting, truth: dict[str, list[Spot]]) -> str | None:
    """Whose face this sighting is, by where it is."""
    clip = Path(seen.file).name
    x, y = (seen.box[0] + seen.box[2]) / 2, (seen.box[1] + seen.box[3]) / 2
    near = [
        (hypot(x - spot.x, y - spot.y), person)
        for person, spots in truth.items()
        for spot in spots
        if clip in spot.clips
    ]
    away, person = min(near, default=(1.0, ""))
    return person if away <= _NEAR else None


def _strangers(args: argparse.Namespace) -> Iterator[Asked]:
    if args.strangers is not None:
        for folder in sorted(args.strangers.iterdir())[: args.most]:
            yield Asked(None, "", next(iter(sorted(folder.glob("*.jpg")))))


def _truth(path: Path) -> dict[str, list[Spot]]:
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        return {
            name: [Spot(tuple(one["clips"]), one["at_s"], one["x"], one["y"]) for one in spots]
            for name, spots in said.items()
        }
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError("The truth cannot be read.", saw=f"{path}: {error}", fix="see archive_truth.json") from error
