"""Whether a face is who its track says, by its looks: lost faces are known again, and mixed up ones are told apart.

Boxes lose a face that was hidden for long, and may take one face for another that passes it. A shot that is embedded
anyway tells: a track that has just begun and looks like one that is out of sight is that one (`revive`), and a track
whose face has come to look like somebody else is somebody else (`part`). Both together also undo an exchange of two
tracks: the first to be looked at parts, the other follows, and each finds the id that the other has given up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tracker.assign import assign
from tracker.looks import Looks
from tracker.tracker import Tracker


@dataclass(frozen=True, slots=True)
class RecallSettings:
    """Cosines."""

    same: float  # from which two looks are one person's
    unlike: float  # below which a look speaks against its own track
    least_quality: float = 0.3  # of a shot: a poor crop resembles anybody
    young_shots: int = 4  # a track that was looked at so often without being known again is a new face


class Shot(NamedTuple):
    track: int
    vector: NDArray[np.float32]
    quality: float


@dataclass(frozen=True, slots=True)
class Recalled:
    """parted   (track, new id): the face was another one than the track's
    revived  (track, older id): the face is that of the older track; a new id of `parted` may be among the first
    doubted  tracks that are to be looked at again soon
    """

    parted: tuple[tuple[int, int], ...]
    revived: tuple[tuple[int, int], ...]
    doubted: tuple[int, ...]


class Recall:
    def __init__(self, settings: RecallSettings) -> None:
        self._settings = settings
        self._looks = Looks()
        self._suspects: set[int] = set()

    def judge(self, shots: Sequence[Shot], tracker: Tracker) -> Recalled:
        """Take the shots of one frame, and give the faces of the tracker other ids where their looks say so."""
        telling = [shot for shot in shots if shot.quality >= self._settings.least_quality]
        doubted: set[int] = set()
        parted: list[tuple[int, int]] = []
        for at, shot in enumerate(telling):
            if self._is_another(shot, doubted):
                telling[at] = shot._replace(track=tracker.part(shot.track))
                parted.append((shot.track, telling[at].track))
        revived = self._find_again(telling, tracker)
        known_as = dict(revived)
        for shot in telling:
            if shot.track not in self._suspects:
                self._looks.add(known_as.get(shot.track, shot.track), shot.vector, shot.quality)
        return Recalled(tuple(parted), tuple(revived), tuple(sorted(doubted)))

    def forget(self, tracks: Sequence[int]) -> None:
        """These tracks have ended."""
        self._looks.forget(tracks)
        self._suspects.difference_update(tracks)

    def _is_another(self, shot: Shot, doubted: set[int]) -> bool:
        """Somebody else's look, or the second in a row that is unlike the track's; a first one puts it in doubt."""
        use, was_suspect = self._settings, shot.track in self._suspects
        self._suspects.discard(shot.track)
        own = float(self._looks.likeness(shot.vector, [shot.track])[0])
        if shot.track not in self._looks or own >= use.unlike:
            return False
        others = [track for track in self._looks.tracks() if track != shot.track]
        alike = self._looks.likeness(shot.vector, others)
        if len(others) and alike.max() >= use.same:
            doubted.add(others[int(alike.argmax())])  # is that one still who it was?
            return True
        if not was_suspect:
            self._suspects.add(shot.track)
            doubted.add(shot.track)
        return was_suspect

    def _find_again(self, shots: Sequence[Shot], tracker: Tracker) -> list[tuple[int, int]]:
        young = [shot for shot in shots if self._looks.shots(shot.track) < self._settings.young_shots]
        absent = [track for track in tracker.absent if track in self._looks]
        if not young or not absent:
            return []
        cosines = np.stack([self._looks.likeness(shot.vector, absent) for shot in young])
        pairs = assign(1 - cosines, 1 - self._settings.same)
        revived = [(young[row].track, absent[column]) for row, column in zip(pairs.rows, pairs.columns, strict=True)]
        for track, older in revived:
            tracker.revive(track, older)
            self._looks.join(track, older)
        return revived


def settings_for(same: float) -> RecallSettings:
    """For an embedder that takes two faces for one person's from this cosine on."""
    return RecallSettings(same=same, unlike=0.5 * same)
