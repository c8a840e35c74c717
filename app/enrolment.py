"""enroll NAME IMAGE…: from photographs to embeddings in the gallery, and why some photographs are refused."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from app import flags, photographs, settings
from engines.align import CropSpec, align
from engines.detector import Detector
from engines.faces import Faces
from engines.load import load_detector, load_embedder
from engines.quality import quality
from pipeline.gallery.gallery import Gallery, Picture
from pipeline.gallery.opening import open_gallery

# Every photograph is laid on a square of this side: one size for the detector, and room around faces that fill theirs.
SQUARE_PX = 1280
MIN_FACE_PX = 40
# Of 140 portraits of 90 pixels none lies below 0.08; blurred by a Gaussian of 6 pixels, which takes SFace's cosines
# for one person from 0.72 to 0.30, nineteen of twenty lie below 0.06.
MIN_SHARPNESS = 0.06
MIN_QUALITY = 0.2
# The detector looks for smaller faces than are taken, to say "too small" and not "no face".
_SEEN_FACE_PX = 24
# A face in the background is no reason to refuse a portrait: one that is narrower than this part of the widest.
_BACKGROUND = 0.5
# Hands and collars that the detector takes for second faces score below this, real second faces above.
_RIVAL_SCORE = 0.8


class FaceEmbedder(Protocol):
    @property
    def crop(self) -> CropSpec: ...

    def embed(self, crops_bgr: NDArray[np.uint8]) -> NDArray[np.float32]: ...


@dataclass(frozen=True, slots=True)
class Refusal:
    path: Path
    why: str


@dataclass(frozen=True, slots=True)
class Report:
    """kept   pictures that are new in the gallery
    known  pictures that had been enrolled before
    """

    name: str
    kept: int
    known: int
    refused: tuple[Refusal, ...]

    @property
    def exit_code(self) -> int:
        return 0 if self.kept + self.known else 1

    def __str__(self) -> str:
        before = f", {self.known} known before" if self.known else ""
        lines = [f"{self.name}: {self.kept} of {self.kept + self.known + len(self.refused)} pictures enrolled{before}"]
        return "\n".join(lines + [f"  refused {one.path}: {one.why}" for one in self.refused])


class Refused(Exception):
    """This picture is not taken; the message says why."""


def enrol(gallery: Gallery, detector: Detector, embedder: FaceEmbedder, name: str, paths: Sequence[Path]) -> Report:
    """Pictures are kept one by one, so that an enrolment that is cut short can simply be repeated."""
    kept = known = 0
    refused = []
    files = photographs.find(paths)
    for path in tqdm(files, unit=" pictures", leave=False, disable=None if len(files) > 1 else True):
        try:
            picture = _picture(path, detector, embedder)
        except (photographs.Unreadable, Refused) as error:
            refused.append(Refusal(path, str(error)))
            continue
        new = gallery.add(name, [picture])
        kept, known = kept + new, known + 1 - new
    return Report(name, kept, known, tuple(refused))


def _picture(path: Path, detector: Detector, embedder: FaceEmbedder) -> Picture:
    photograph = photographs.read(path)
    square_bgr = on_square(photograph.image_bgr)
    (faces,) = detector.detect([square_bgr])
    index = _the_face(faces)
    one = slice(index, index + 1)
    crops_bgr = align(square_bgr, faces.landmarks[one], embedder.crop)
    worth = float(quality(crops_bgr, faces.boxes_xyxy[one], faces.landmarks[one], faces.scores[one])[0])
    if (sharp := sharpness(crops_bgr[0])) < MIN_SHARPNESS:
        raise Refused(f"the face is blurred (sharpness {sharp:.3f}, at least {MIN_SHARPNESS:.3f} is needed)")
    if worth < MIN_QUALITY:
        raise Refused(f"the face is turned away or unclear (quality {worth:.2f}, at least {MIN_QUALITY:.2f} is needed)")
    return Picture(embedder.embed(crops_bgr)[0], photograph.sha256, worth)


def on_square(image_bgr: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The picture in the middle of a grey square, made smaller if it must be, never larger."""
    height, width = image_bgr.shape[:2]
    scale = min(1.0, SQUARE_PX / max(width, height))
    if scale < 1:
        width, height = max(1, round(width * scale)), max(1, round(height * scale))
        image_bgr = cv2.resize(image_bgr, (width, height), interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
    square_bgr = np.full((SQUARE_PX, SQUARE_PX, 3), 127, np.uint8)
    left, top = (SQUARE_PX - width) // 2, (SQUARE_PX - height) // 2
    square_bgr[top : top + height, left : left + width] = image_bgr
    return square_bgr


def sharpness(crop_bgr: NDArray[np.uint8]) -> float:
    """The share of a crop's contrast that a slight blur takes away; independent of light and contrast."""
    edge = len(crop_bgr) // 8  # outside lies background
    grey = cv2.cvtColor(crop_bgr[edge:-edge, edge:-edge], cv2.COLOR_BGR2GRAY).astype(np.float32)
    lost = grey - cv2.GaussianBlur(grey, (0, 0), 1.5)
    return float(lost.std() / max(float(grey.std()), 1.0))


def _the_face(faces: Faces) -> int:
    """The one face that the picture is of."""
    if not len(faces):
        raise Refused("no face was found")
    widths = faces.boxes_xyxy[:, 2] - faces.boxes_xyxy[:, 0]
    widest = int(np.argmax(widths))
    rival = (widths >= _BACKGROUND * widths[widest]) & (faces.scores >= _RIVAL_SCORE)
    rival[widest] = True
    if rival.sum() > 1:
        raise Refused(f"{rival.sum()} faces, and nothing says which one is meant; cut the picture to one")
    if widths[widest] < MIN_FACE_PX:
        raise Refused(f"the face is too small ({widths[widest]:.0f} pixels wide, at least {MIN_FACE_PX} are needed)")
    return widest


def add_parsers(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "enroll",
        help="make somebody known",
        description="Make somebody known from photographs that show one face each.",
        epilog="example: python -m app.main enroll Alice alice1.jpg alice2.jpg pictures/alice",
        allow_abbrev=False,
    )
    parser.add_argument("name", metavar="NAME", help="who it is; names are compared as written")
    parser.add_argument("paths", metavar="IMAGE", nargs="+", type=Path, help="a picture, or a folder of pictures")
    flags.add_flags(parser, flags.MODEL_FLAGS)
    parser.set_defaults(command=enroll_command)


def enroll_command(args: argparse.Namespace) -> int:
    photographs.find(args.paths)  # before models are loaded, which takes a moment
    chosen = settings.read(flags.given(args))
    options = flags.engine_options(chosen)
    seeing = replace(options, min_face_px=min(options.min_face_px, _SEEN_FACE_PX))
    embedder = load_embedder(options, batch=1)
    gallery = open_gallery(chosen.gallery_dir, space=embedder.space, dim=embedder.dim)
    try:
        detector = load_detector(seeing, size_wh=(SQUARE_PX, SQUARE_PX))
        report = enrol(gallery, detector, embedder, args.name, args.paths)
    finally:
        gallery.close()
    print(report)
    return report.exit_code
