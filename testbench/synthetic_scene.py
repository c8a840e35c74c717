"""What a synthetic scene is made of, and the kinds of scenes that a tracker is measured on.

Rates follow what MTCNN does on real clips of walking people: half of the scores above 0.999, one in ten below 0.97,
boxes that wander by 2 to 5 % of their height, misses that last some frames, false boxes that stay in one place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

ASPECT = 0.8  # width over height of a face
NOBODY = -1


@dataclass(frozen=True, slots=True)
class Scene:
    """Lengths in heights of the face, times in frames, unless the name says pixels."""

    faces: int = 6
    frames: int = 200
    seed: int = 0
    size_wh: tuple[int, int] = (1280, 720)
    heights_px: tuple[float, float] = (45.0, 130.0)
    speed: float = 0.05
    sway: float = 0.02  # how much the speed changes from frame to frame
    jitter: float = 0.02
    miss: float = 0.03  # share of frames in which a visible face is not found
    turn_away: float = 0.003  # chance in each frame that a face is turned away for 5 to 25 frames
    false_boxes: float = 0.1  # on average in a frame
    frames_elapsed: tuple[int, ...] = (1,)  # live cameras drop frames: one of these lies between two that are seen
    is_corridor: bool = False  # all walk to the left or to the right at one level, and so past each other
    has_doors: bool = False  # people walk out of the picture at its sides, and others come in, or the same again
    shake_px: float = 0.0  # of a camera in a hand: its standard deviation from frame to frame; now and then a jolt


# For smoothing: at a desk, at a desk and talking. Lag shows in those who walk.
SITTING = Scene(speed=0.0, sway=0.0005, turn_away=0.0, miss=0.01)
TALKING = Scene(speed=0.01, sway=0.004, turn_away=0.0)

# Each is harder than a quiet room in one way, two of them in two; a hundredth of turn_away is three turns in ten
# seconds of each person. All have the turns, misses and false boxes of the first one unless they say otherwise.
KINDS: Mapping[str, Scene] = {
    "walkers": Scene(),
    "crowd": Scene(faces=12),
    "crossings": Scene(faces=8, is_corridor=True, speed=0.08, heights_px=(60.0, 90.0)),
    "occlusions": Scene(faces=14, size_wh=(800, 400), heights_px=(60.0, 140.0)),
    "turned heads": Scene(turn_away=0.015),
    "entries and exits": Scene(faces=8, frames=400, has_doors=True, speed=0.1),
    "missed": Scene(jitter=0.04, miss=0.1, false_boxes=0.6),
    "shaken camera": Scene(shake_px=8.0),
    "quick": Scene(speed=0.12, sway=0.03),
    "dropped frames": Scene(frames=400, frames_elapsed=(1, 2, 3, 4)),
    "quick, dropped": Scene(frames=400, frames_elapsed=(2, 3, 4), speed=0.12, sway=0.03),
}
