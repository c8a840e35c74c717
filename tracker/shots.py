"""When a face is worth an embedding.

Embedding every face of every frame makes the cost grow with the crowd. A face hardly changes from frame to frame, so it
is embedded when it is new, when it may have become somebody else's, when it is seen better than ever, and now and
then: seldom when its shots so far were good, sooner while they say little.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class ShotSettings:
    first_shots: int = 3  # a new track is embedded this often, whatever the quality
    spacing_frames: int = 2  # between two shots of one track
    better: float = 1.10  # times the best quality so far: worth another shot
    check_frames: int = 60  # a track is looked at again after this long,
    early_check_frames: int = 15  # and after this long while its shots say little:
    enough_quality: float = 1.2  # that is while the sum of their qualities is less
    doubt_frames: int = 15  # between two shots for the sake of a doubt
    max_per_frame: int = 8


class Reason(IntEnum):
    """Why a track is embedded; the smaller comes first when there are too many."""

    NEW = 0
    DOUBT = 1
    BETTER = 2
    CHECK = 3


@dataclass(frozen=True, slots=True)
class _Taken:
    count: int = 0
    best_quality: float = 0.0
    last_frame: int = 0
    total_quality: float = 0.0


_NOTHING = _Taken()


class ShotPolicy:
    """Chooses which tracks of a frame are embedded, so that many faces cost little more than a few."""

    def __init__(self, settings: ShotSettings = ShotSettings()) -> None:
        self._settings = settings
        self._taken: dict[int, _Taken] = {}
        self._doubted: dict[int, bool] = {}  # whether soon

    def wants(self, track: int, quality: float, frame: int) -> bool:
        """Whether a shot of this track would be worth it; asks only, and knows nothing of the frame's limit."""
        return self._reason(track, quality, frame) is not None

    def choose(self, tracks: Sequence[int], qualities: Sequence[float], frame: int) -> NDArray[np.bool_]:
        """(K,) True for those of the K tracks that are embedded now, at most `max_per_frame`; remembers the choice.

        A track that has to stand back is asked again in the next frame.
        """
        waiting: list[tuple[Reason, int, int, int, int]] = []
        for row, (track, quality) in enumerate(zip(tracks, qualities, strict=True)):
            reason = self._reason(track, quality, frame)
            if reason is not None:
                taken = self._taken.get(track, _NOTHING)
                waiting.append((reason, taken.count if reason is Reason.NEW else 0, taken.last_frame, track, row))
        chosen = np.zeros(len(tracks), np.bool_)
        for *_, row in sorted(waiting)[: self._settings.max_per_frame]:
            chosen[row] = True
            self._remember(tracks[row], qualities[row], frame)
        return chosen

    def doubt(self, tracks: Iterable[int], *, soon: bool = False) -> None:
        """The face of these tracks may be another one by now; with `soon` there is more to that than its place."""
        for track in tracks:
            self._doubted[track] = self._doubted.get(track, False) or soon

    def part(self, track: int, new_track: int, quality: float, frame: int) -> None:
        """The last shot of `track` was the first one of `new_track`."""
        self._doubted.pop(track, None)
        self._remember(new_track, quality, frame)

    def join(self, track: int, into: int) -> None:
        """All shots of `track` were of the face of `into`."""
        newer, older = self._taken.pop(track, _NOTHING), self._taken.get(into, _NOTHING)
        self._doubted.pop(track, None)
        self._taken[into] = _Taken(
            newer.count + older.count,
            max(newer.best_quality, older.best_quality),
            max(newer.last_frame, older.last_frame),
            newer.total_quality + older.total_quality,
        )

    def forget(self, tracks: Iterable[int]) -> None:
        """These tracks have ended."""
        for track in tracks:
            self._taken.pop(track, None)
            self._doubted.pop(track, None)

    def _reason(self, track: int, quality: float, frame: int) -> Reason | None:
        use, taken = self._settings, self._taken.get(track)
        if taken is None:
            return Reason.NEW
        since = frame - taken.last_frame
        if since < use.spacing_frames:
            return None
        if taken.count < use.first_shots:
            return Reason.NEW
        if track in self._doubted and (self._doubted[track] or since >= use.doubt_frames):
            return Reason.DOUBT
        if quality > 0 and quality >= use.better * taken.best_quality:
            return Reason.BETTER
        says_little = quality > 0 and taken.total_quality < use.enough_quality
        return Reason.CHECK if since >= (use.early_check_frames if says_little else use.check_frames) else None

    def _remember(self, track: int, quality: float, frame: int) -> None:
        before, quality = self._taken.get(track, _NOTHING), float(quality)
        self._doubted.pop(track, None)
        self._taken[track] = _Taken(
            before.count + 1, max(before.best_quality, quality), frame, before.total_quality + quality
        )
