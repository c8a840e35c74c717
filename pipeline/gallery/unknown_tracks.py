"""Which of the faces that are seen now are kept as unknown, and with which of their shots.

Keeping takes a disk's time, so a thread does it; whoever follows the faces only hands over and is never held up.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from uuid import uuid4

from checkpoints.errors import GalleryError, SealError
from checkpoints.sealed import UNSEALED, Seal
from pipeline.gallery.sightings import Sighting
from pipeline.gallery.unknowns import Shot, Unknowns
from pipeline.hours import Hours

BEST_SHOTS = 3
MIN_QUALITY = 0.3  # what is less clear resembles anybody, and would put different people into one cluster
# A face that stays is kept after this long in the stream, and told again as long as it stays.
STAY_S = 2.0
TELL_EVERY_S = 60.0
_WAITING = 256

Track = tuple[str, int]  # camera, track


@dataclass(slots=True)
class _Live:
    """state  of the last verdict;  unkept  the shots that are not on disk yet;  kept  the best of those that are"""

    sighting: Sighting
    first_s: float
    state: str = "undecided"
    unkept: list[Shot] = field(default_factory=list)
    kept: list[Shot] = field(default_factory=list)
    told_s: float | None = None


class UnknownTracks:
    """days 0: nothing is kept or written, and what was kept is erased."""

    def __init__(
        self, folder: Path, *, near: float, space: str, days: float, seal: Seal = UNSEALED, hours: Hours | None = None
    ) -> None:
        self._space = space
        self._days = days
        self._live: dict[Track, _Live] = {}
        self._keeper = Keeper(lambda: Unknowns(folder, near=near, seal=seal))
        self._hours = hours or Hours()
        self._has_given_up = False

    def wants(self, track: Track, quality: float) -> bool:
        """Whether a shot of this quality would be among those that are kept of this track."""
        if not self._days or quality < MIN_QUALITY:
            return False
        live = self._live.get(track)
        if live is None:
            return True
        rivals = [shot.quality for shot in (*live.kept, *live.unkept)]
        return len(rivals) < BEST_SHOTS or quality > 1.1 * min(sorted(rivals)[-BEST_SHOTS:])

    def add(self, track: Track, event: str, pts_s: float, shot: Shot) -> None:
        if track not in self._live:
            sighting = Sighting(str(uuid4()), "", track[0], event, shot.time, shot.time)
            self._live[track] = _Live(sighting, pts_s)
        live = self._live[track]
        live.unkept = _best([*live.unkept, shot])

    def shots(self, track: Track) -> list[Shot]:
        """The best that there are of a face that is in sight, best first."""
        live = self._live.get(track)
        return [] if live is None else _best([*live.kept, *live.unkept])

    def judged(self, track: Track, state: str, pts_s: float, time: str) -> None:
        """In every frame that shows the face. `state`: unknown, undecided, or whatever means that it is not kept."""
        live = self._live.get(track)
        if live is None:
            return
        live.state = state
        live.sighting = replace(live.sighting, last=time)
        if state not in ("unknown", "undecided"):
            self._drop(track)
        elif state == "unknown" and pts_s - live.first_s >= STAY_S and self._is_due(live, pts_s):
            live.told_s = pts_s
            self._keep(live)

    def end(self, tracks: Iterable[Track]) -> None:
        for track in tracks:
            live = self._live.pop(track, None)
            if live is not None and (live.state == "unknown" or live.kept):
                self._keep(live)

    def tick(self) -> None:
        """Raises what went wrong in keeping; lets what is too old expire."""
        self._keeper.check()
        if self._hours.strike() and not self._has_given_up:
            days = self._days
            self._keeper.give(lambda store: store.expire(days), only_if_there=True)

    def give_up(self) -> None:
        """After an error: nothing more is kept in this run."""
        self._days = 0.0
        self._live.clear()
        self._has_given_up = True

    def close(self) -> None:
        """What is still seen is kept as far as it is known to be unknown."""
        self.end(list(self._live))
        self._keeper.close()

    def _keep(self, live: _Live) -> None:
        sighting, shots, space = live.sighting, tuple(live.unkept), self._space
        live.kept = _best([*live.kept, *shots])
        live.unkept = []
        self._keeper.give(lambda store: store.keep(sighting, shots, space))

    def _drop(self, track: Track) -> None:
        live = self._live.pop(track)
        if live.kept:
            sighting = live.sighting.id
            self._keeper.give(lambda store: store.forget(sighting))

    @staticmethod
    def _is_due(live: _Live, pts_s: float) -> bool:
        return live.told_s is None or bool(live.unkept) or pts_s - live.told_s >= TELL_EVERY_S


def _best(shots: list[Shot]) -> list[Shot]:
    return sorted(shots, key=lambda one: -one.quality)[:BEST_SHOTS]


class Keeper:
    """A thread that does to the store what it is given, in order; made when there is something to do."""

    def __init__(self, open_store: Callable[[], Unknowns]) -> None:
        self._open = open_store
        self._jobs: queue.Queue[Callable[[Unknowns], object] | None] = queue.Queue(_WAITING)
        self._thread: threading.Thread | None = None
        self._error: GalleryError | None = None
        self._bug: BaseException | None = None

    def give(self, job: Callable[[Unknowns], object], *, only_if_there: bool = False) -> None:
        """A disk that is hopelessly slow costs sightings, not recognition: what does not fit in is not kept."""
        if self._thread is None:
            if only_if_there and not self._open().there:
                return
            self._thread = threading.Thread(target=self._guarded, name="unknowns", daemon=True)
            self._thread.start()
        try:
            self._jobs.put_nowait(job)
        except queue.Full:
            return

    def check(self) -> None:
        """Raises what went wrong: a disk's trouble once, what has ended the thread always."""
        if self._bug is not None:
            raise self._bug
        error, self._error = self._error, None
        if error is not None:
            raise error

    def close(self, patience_s: float = 2.0) -> None:
        if self._thread is not None and self._thread.is_alive():
            try:
                self._jobs.put(None, timeout=patience_s)
            except queue.Full:
                return
            self._thread.join(patience_s)

    def _guarded(self) -> None:
        try:
            self._work()
        except BaseException as error:  # noqa: BLE001  (raised again in the process's own thread)
            self._bug = error

    def _work(self) -> None:
        store = self._open()
        while (job := self._jobs.get()) is not None:
            try:
                job(store)
            except GalleryError as error:
                self._error = error
            except SealError as error:
                self._error = GalleryError(error.what, saw=error.saw, fix=error.fix)
        store.close()
