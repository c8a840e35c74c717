"""Who is on a photograph: the models of the pipeline, for one picture at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from app import flags
from app.one_face import FaceEmbedder
from app.settings import Settings
from app.square import SQUARE_PX, off_square, on_square
from engines.align import CropSpec, align
from engines.detector import Detector
from engines.faces import Faces
from engines.load import crop_spec, load_detector, load_embedder
from engines.models import embedder_model
from engines.quality import quality
from pipeline.gallery.gallery import Match
from pipeline.gallery.matcher import Matcher, open_matcher
from pipeline.gallery.opening import gallery_of
from pipeline.messages import State
from tracker.vote import Ballots, Verdict

CANDIDATES = 3
# One look is all there is, so a face that is less clear gets no verdict: a poor crop resembles anybody.
MIN_QUALITY = 0.3


@dataclass(frozen=True, slots=True)
class Naming:
    """What gives faces names."""

    embedder: FaceEmbedder
    matcher: Matcher


@dataclass(frozen=True, slots=True)
class SeenFace:
    """A face on a photograph.

    box_xyxy   (4,) float32, pixels of the photograph
    landmarks  (5, 2) float32, pixels of the photograph
    score      0…1, how sure the detector is
    quality    0…1, how well the face can be recognised
    state      None: nobody was asked who it is
    cosine     to the nearest person, and by how much that one is ahead of the second
    nearest    best first
    """

    box_xyxy: NDArray[np.float32]
    landmarks: NDArray[np.float32]
    score: float
    quality: float
    name: str | None = None
    state: State | None = None
    cosine: float = 0.0
    margin: float = 0.0
    nearest: tuple[Match, ...] = ()


class Looker:
    def __init__(self, detector: Detector, crop: CropSpec, naming: Naming | None = None) -> None:
        self._detector = detector
        self._crop = crop
        self._naming = naming

    def look(self, image_bgr: NDArray[np.uint8]) -> list[SeenFace]:
        """The faces of a photograph (H, W, 3), the surest first; a name stands on one of them at most."""
        square_bgr = on_square(image_bgr)
        (faces,) = self._detector.detect([square_bgr])
        crops_bgr = align(square_bgr, faces.landmarks, self._crop)
        worth = quality(crops_bgr, faces.boxes_xyxy, faces.landmarks, faces.scores)
        seen = _on_photograph(faces, worth, (image_bgr.shape[1], image_bgr.shape[0]))
        return seen if self._naming is None or not seen else _named(seen, crops_bgr, self._naming)


@contextmanager
def looker(chosen: Settings, *, naming: bool) -> Iterator[Looker]:
    """With the models of the settings; `naming`: also with their gallery, whoever holds it."""
    options = flags.engine_options(chosen)
    detector = load_detector(options, size_wh=(SQUARE_PX, SQUARE_PX))
    if not naming:
        yield Looker(detector, crop_spec(options))
        return
    embedder = load_embedder(options)
    config = flags.gallery_config(chosen)
    gallery = gallery_of(config, space=embedder.space, dim=embedder.dim)
    try:
        matcher = open_matcher(gallery, embedder_model(options).known, config)
        try:
            yield Looker(detector, embedder.crop, Naming(embedder, matcher))
        finally:
            matcher.close()
    finally:
        gallery.close()


def _on_photograph(faces: Faces, worth: NDArray[np.float32], size_wh: tuple[int, int]) -> list[SeenFace]:
    boxes_xyxy = off_square(faces.boxes_xyxy.reshape(-1, 2, 2), size_wh).reshape(-1, 4)
    landmarks = off_square(faces.landmarks, size_wh)
    return [
        SeenFace(box_xyxy, points, float(score), float(one))
        for box_xyxy, points, score, one in zip(boxes_xyxy, landmarks, faces.scores, worth, strict=True)
    ]


def _named(seen: list[SeenFace], crops_bgr: NDArray[np.uint8], naming: Naming) -> list[SeenFace]:
    naming.matcher.refresh()
    found = naming.matcher.match(naming.embedder.embed(crops_bgr), CANDIDATES)
    ballots = Ballots(replace(naming.matcher.votes, enough_shots=1))
    for track, (face, matches) in enumerate(zip(seen, found, strict=True)):
        if face.quality >= MIN_QUALITY:
            ballots.add(track, matches, face.quality)
    verdicts = ballots.verdicts(range(len(seen)))
    return [
        _with_verdict(face, verdicts[track], matches)
        for track, (face, matches) in enumerate(zip(seen, found, strict=True))
    ]


def _with_verdict(face: SeenFace, verdict: Verdict, matches: list[Match]) -> SeenFace:
    first = matches[0].score if matches else 0.0
    margin = first - matches[1].score if len(matches) > 1 else first
    return replace(face, name=verdict.name, state=verdict.state, cosine=first, margin=margin, nearest=tuple(matches))
