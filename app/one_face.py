"""From a photograph of one person to a picture for the gallery, or to the reason why it is refused."""

from __future__ import annotations

from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from app import photographs
from app.photographs import Source
from app.square import on_square
from engines.align import CropSpec, align
from engines.detector import Detector
from engines.faces import Faces
from engines.quality import quality
from pipeline.gallery.cutting import cut_out
from pipeline.gallery.gallery import Picture

MIN_FACE_PX = 40
# Of 140 portraits of 90 pixels none lies below 0.08; blurred by a Gaussian of 6 pixels, which takes SFace's cosines
# for one person from 0.72 to 0.30, nineteen of twenty lie below 0.06.
MIN_SHARPNESS = 0.06
MIN_QUALITY = 0.2
# Of 328 portraits none is darker than 74 in the mean. Made dark with some noise, SFace's best cosine to another picture
# of the same person falls from 0.74 to 0.69 at 25, 0.64 at 15, 0.56 at 10.
MIN_GREY = 18
# The share of the face that is burnt out: at 9 % the cosine is 0.71, at 60 % 0.51.
MAX_BURNT = 0.35
_BURNT_GREY = 250
# How far the nose lies beside the middle, in distances of the eyes: up to 0.4 the cosine is 0.70, then detectors
# begin to guess the landmarks on the far side.
MAX_TURN = 0.45
# The detector looks for smaller faces than are taken, to say "too small" and not "no face".
SEEN_FACE_PX = 24
# A face in the background is no reason to refuse a portrait: one that is narrower than this part of the widest.
_BACKGROUND = 0.5
# Hands and collars that the detector takes for second faces score below this, real second faces above.
_RIVAL_SCORE = 0.8


class FaceEmbedder(Protocol):
    @property
    def crop(self) -> CropSpec: ...

    def embed(self, crops_bgr: NDArray[np.uint8]) -> NDArray[np.float32]: ...


class Refused(Exception):
    """This picture is not taken; the message says why."""


def picture_of(source: Source, detector: Detector, embedder: FaceEmbedder) -> Picture:
    """Raises Refused, or photographs.Unreadable."""
    photograph = photographs.read(source)
    square_bgr = on_square(photograph.image_bgr)
    (faces,) = detector.detect([square_bgr])
    index = _the_face(faces)
    one = slice(index, index + 1)
    crops_bgr = align(square_bgr, faces.landmarks[one], embedder.crop)
    worth = float(quality(crops_bgr, faces.boxes_xyxy[one], faces.landmarks[one], faces.scores[one])[0])
    _check_light(crops_bgr[0])
    if (turn := turned(faces.landmarks[index])) > MAX_TURN:
        raise Refused(f"the face is turned too far away (extreme pose, {turn:.2f}, at most {MAX_TURN} is taken)")
    if (sharp := sharpness(crops_bgr[0])) < MIN_SHARPNESS:
        raise Refused(f"the face is blurred (sharpness {sharp:.3f}, at least {MIN_SHARPNESS:.3f} is needed)")
    if worth < MIN_QUALITY:
        raise Refused(f"the face is turned away or unclear (quality {worth:.2f}, at least {MIN_QUALITY:.2f} is needed)")
    cutout = cut_out(square_bgr, faces.boxes_xyxy[index], faces.landmarks[index])
    return Picture(embedder.embed(crops_bgr)[0], photograph.sha256, worth, cutout, source.name)


def sharpness(crop_bgr: NDArray[np.uint8]) -> float:
    """The share of a crop's contrast that a slight blur takes away; independent of light and contrast."""
    grey = _middle(crop_bgr).astype(np.float32)
    lost = grey - cv2.GaussianBlur(grey, (0, 0), 1.5)
    return float(lost.std() / max(float(grey.std()), 1.0))


def turned(landmarks: NDArray[np.float32]) -> float:
    """How far the nose lies beside the middle of the face (5, 2), in distances of the eyes: 0 from the front."""
    eyes = (landmarks[1] - landmarks[0]).astype(np.float64)
    beside = landmarks[2] - landmarks[[0, 1, 3, 4]].mean(axis=0)
    return float(abs(np.dot(beside, eyes)) / max(float(np.dot(eyes, eyes)), 1.0))


def _check_light(crop_bgr: NDArray[np.uint8]) -> None:
    grey = _middle(crop_bgr)
    if (mean := float(grey.mean())) < MIN_GREY:
        raise Refused(f"the face is too dark (grey level {mean:.0f} of 255, at least {MIN_GREY} is needed)")
    if (burnt := float((grey >= _BURNT_GREY).mean())) > MAX_BURNT:
        raise Refused(f"the face is too bright ({burnt:.0%} of it is burnt out, at most {MAX_BURNT:.0%} may be)")


def _middle(crop_bgr: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Grey levels without the edge: outside lies background."""
    edge = len(crop_bgr) // 8
    return np.asarray(cv2.cvtColor(crop_bgr[edge:-edge, edge:-edge], cv2.COLOR_BGR2GRAY), np.uint8)


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
