"""What the stages tell each other: small frozen records, each with the frame that it is about.

Pixels go as arrays inside a record; `topic` lays them into shared memory, and readers see them there without a copy.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

State = Literal["known", "unknown", "undecided"]


@dataclass(frozen=True, slots=True)
class Visit:
    """A frame's stay in one stage: from when its work began to when it was done."""

    stage: str
    entered_ns: int
    left_ns: int


@dataclass(frozen=True, slots=True)
class FrameRef:
    """Which frame a record is about, and where it has been.

    camera       name
    epoch        counts the camera's beginnings: connections, and rounds of a looped file
    seq          counts this camera's frames, over all epochs
    pts_s        time in the stream
    captured_ns  when it reached this machine, on `clock`
    position     its place in the camera's ring of frames
    size_wh      pixels of the working size, in which all boxes are
    """

    camera: str
    epoch: int
    seq: int
    pts_s: float
    captured_ns: int
    position: int
    size_wh: tuple[int, int]
    visits: tuple[Visit, ...] = ()

    def after(self, stage: str, entered_ns: int, left_ns: int) -> FrameRef:
        return replace(self, visits=(*self.visits, Visit(stage, entered_ns, left_ns)))


@dataclass(frozen=True, slots=True)
class Frame:
    """image_bgr  (H, W, 3) uint8, read-only: a view into the ring."""

    ref: FrameRef
    image_bgr: NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Detections:
    """boxes_xyxy  (N, 4) float32 pixels
    scores      (N,) float32
    landmarks   (N, 5, 2) float32 pixels
    """

    ref: FrameRef
    boxes_xyxy: NDArray[np.float32]
    scores: NDArray[np.float32]
    landmarks: NDArray[np.float32]

    def __post_init__(self) -> None:
        count = len(self.scores)
        if self.boxes_xyxy.shape != (count, 4) or self.landmarks.shape != (count, 5, 2):
            raise ValueError(f"boxes {self.boxes_xyxy.shape} and landmarks {self.landmarks.shape} for {count} scores")


@dataclass(frozen=True, slots=True)
class AlignedFaces:
    """The faces of a frame, upright and of the embedder's size.

    crops_bgr  (N, S, S, 3) uint8
    quality    (N,) float32, 0…1
    """

    ref: FrameRef
    boxes_xyxy: NDArray[np.float32]
    scores: NDArray[np.float32]
    landmarks: NDArray[np.float32]
    crops_bgr: NDArray[np.uint8]
    quality: NDArray[np.float32]

    def __post_init__(self) -> None:
        count = len(self.scores)
        if len(self.crops_bgr) != count or self.quality.shape != (count,):
            raise ValueError(f"{len(self.crops_bgr)} crops and {self.quality.shape} qualities for {count} faces")


@dataclass(frozen=True, slots=True)
class TrackedFace:
    """box_xyxy   (4,) float32 pixels, smoothed
    landmarks  (5, 2) float32 pixels, smoothed
    embedding  (D,) float32 of unit length, in the frames that gave one
    """

    track: int
    box_xyxy: NDArray[np.float32]
    landmarks: NDArray[np.float32]
    score: float
    quality: float
    embedding: NDArray[np.float32] | None


@dataclass(frozen=True, slots=True)
class Tracks:
    """ended     tracks that will not come back; also those of other frames since the last record
    revived   (the id told so far, the older id of the same face): from here on the face has the older one
    expected  faces that were not seen in this frame but shortly before: box and landmarks are predicted, score and
              quality are 0, there is no embedding; they are never counted, told or voted on
    """

    ref: FrameRef
    faces: tuple[TrackedFace, ...]
    ended: tuple[int, ...]
    revived: tuple[tuple[int, int], ...] = ()
    expected: tuple[TrackedFace, ...] = ()


@dataclass(frozen=True, slots=True)
class WhyShot:
    """One look at a face and whom it was like.

    quality  0…1, its weight
    nearest  (name or None for a stranger, cosine, id of the picture), best first
    """

    frame: int
    quality: float
    nearest: tuple[tuple[str | None, float, str], ...]


@dataclass(frozen=True, slots=True)
class Why:
    """What a verdict rests on.

    threshold, margin  what was needed for a name
    runner_up          the second; None: there is none, or a stranger
    by_stranger        what leads is one of the gallery's strangers
    """

    shots: tuple[WhyShot, ...]
    threshold: float
    margin: float
    runner_up: str | None
    by_stranger: bool


@dataclass(frozen=True, slots=True)
class NamedFace:
    """score and margin  the best match's cosine, and how far it is ahead of the runner-up
    why               in the frame where name or state are new
    """

    track: int
    box_xyxy: NDArray[np.float32]
    landmarks: NDArray[np.float32]
    quality: float
    name: str | None
    state: State
    score: float
    margin: float
    votes: int
    why: Why | None = None


@dataclass(frozen=True, slots=True)
class Identities:
    """expected  faces that were not seen in this frame: for the picture only"""

    ref: FrameRef
    embedding_space: str
    faces: tuple[NamedFace, ...]
    expected: tuple[NamedFace, ...] = ()


@dataclass(frozen=True, slots=True)
class Shown:
    """The end of a frame's way: told to the parent, which measures. names  who was recognised in it"""

    ref: FrameRef
    faces: int
    names: tuple[str, ...] = ()


Record = Frame | Detections | AlignedFaces | Tracks | Identities | Shown
