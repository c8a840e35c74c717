"""Who is where in a clip, found without the tracker and the votes that are to be judged.

Every frame is searched as a whole and every face of it embedded. Faces that overlap from one frame to the next are one
piece; pieces whose mean embeddings are alike are one person, unless they are seen in one frame. That rests on the
embedder, so `testbench.names --sheet` draws what was found, to be checked by eye.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.messages import AlignedFaces

SAME_PLACE_IOU = 0.3
SAME_PERSON = 0.45
_MISSED_FRAMES = 12
_MIN_FRAMES = 3  # a piece that is shorter may be no face at all

Floats = NDArray[np.float32]


@dataclass(slots=True)
class Person:
    """places  by frame: row of its faces; mean  (D,) sum of the embeddings, weighted by quality"""

    places: dict[int, int]
    total: Floats
    pieces: int = 1

    @property
    def mean(self) -> Floats:
        unit: Floats = self.total / max(float(np.linalg.norm(self.total)), 1e-6)
        return unit


@dataclass(frozen=True, slots=True)
class Truth:
    """people  those seen longest first; who(frame, box) in terms of their index"""

    people: tuple[Person, ...]
    frames: tuple[AlignedFaces, ...]
    embeddings: tuple[Floats, ...] = field(repr=False)

    def who(self, frame: int, box_xyxy: Floats) -> int | None:
        """Whose face this box is on; None: nobody's that is known."""
        places = [self._place(one, frame) for one in self.people]
        cover = [0.0 if place is None else float(iou(box_xyxy, place[None])[0]) for place in places]
        best = int(np.argmax(cover))
        return best if cover[best] >= SAME_PLACE_IOU else None

    def _place(self, person: Person, frame: int) -> Floats | None:
        """The box of the face; where the search missed it, on the way from where it was to where it is found again."""
        before = max((at for at in person.places if at <= frame), default=None)
        after = min((at for at in person.places if at >= frame), default=None)
        before, after = after if before is None else before, before if after is None else after
        if before is None or after is None or max(abs(frame - before), abs(after - frame)) > _MISSED_FRAMES:
            return None
        one, other = (self.frames[at].boxes_xyxy[person.places[at]] for at in (before, after))
        part = (frame - before) / max(after - before, 1)
        place: Floats = one + np.float32(part) * (other - one)
        return place


def truth(frames: Sequence[AlignedFaces], embeddings: Sequence[Floats]) -> Truth:
    pieces = [
        Person(places, np.sum([embeddings[f][r] * frames[f].quality[r] for f, r in places.items()], axis=0))
        for places in _pieces(frames)
        if len(places) >= _MIN_FRAMES
    ]
    people: list[Person] = []
    for piece in sorted(pieces, key=lambda one: -len(one.places)):
        fitting = [one for one in people if not (one.places.keys() & piece.places.keys())]
        likeness = [float(one.mean @ piece.mean) for one in fitting]
        if likeness and max(likeness) >= SAME_PERSON:
            person = fitting[int(np.argmax(likeness))]
            person.places |= piece.places
            person.total = person.total + piece.total
            person.pieces += 1
        else:
            people.append(piece)
    return Truth(tuple(sorted(people, key=lambda one: -len(one.places))), tuple(frames), tuple(embeddings))


def iou(box_xyxy: Floats, boxes_xyxy: Floats) -> Floats:
    """(N,) of one box with each of (N, 4)."""
    low = np.maximum(box_xyxy[:2], boxes_xyxy[:, :2])
    high = np.minimum(box_xyxy[2:], boxes_xyxy[:, 2:])
    common = np.prod(np.clip(high - low, 0, None), axis=1)
    areas = np.prod(boxes_xyxy[:, 2:] - boxes_xyxy[:, :2], axis=1) + np.prod(box_xyxy[2:] - box_xyxy[:2])
    cover: Floats = common / np.maximum(areas - common, 1e-6)
    return cover


def sheet(found: Truth, count: int = 12) -> NDArray[np.uint8]:
    """A row for each person, with crops from all over the clip."""
    rows = []
    for person in found.people:
        at = sorted(person.places)
        picked = [at[int(each)] for each in np.linspace(0, len(at) - 1, count)]
        rows.append(np.hstack([found.frames[frame].crops_bgr[person.places[frame]] for frame in picked]))
        cv2.putText(rows[-1], str(len(rows) - 1), (4, 20), cv2.FONT_HERSHEY_SIMPLEX, 0.7, (0, 255, 255), 2)
    return np.vstack(rows)


def _pieces(frames: Sequence[AlignedFaces]) -> Iterator[dict[int, int]]:
    """Frame → row, for faces that overlap from each frame to the next."""
    open_pieces: dict[int, dict[int, int]] = {}
    for frame, faces in enumerate(frames):
        going_on: dict[int, dict[int, int]] = {}
        for row, box in enumerate(faces.boxes_xyxy):
            before = frames[frame - 1].boxes_xyxy if frame else faces.boxes_xyxy[:0]
            cover = iou(box, before) if len(before) else np.zeros(0, np.float32)
            best = int(np.argmax(cover)) if len(cover) and cover.max() >= SAME_PLACE_IOU else -1
            going_on[row] = open_pieces.pop(best, {}) | {frame: row}
        yield from open_pieces.values()
        open_pieces = going_on
    yield from open_pieces.values()
