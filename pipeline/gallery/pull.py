"""What others have changed on the server, brought into the local copy.

At first everything is listed (ids and names, no vectors), later what has changed since the newest change seen; a count
that differs tells of pictures that were erased, and everything is listed again. Pictures whose change still waits in
the journal are left as they are here: the server will be told.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta, timezone
from pathlib import Path

from checkpoints import json_text
from checkpoints.errors import EnrolmentError, GalleryError
from pipeline.gallery.cutouts import sync_folder
from pipeline.gallery.edits import Edited, Entry, Erase, Put, Rename
from pipeline.gallery.gallery import Kept
from pipeline.gallery.intake import check_id, check_name, with_direction
from pipeline.gallery.journal import Journal
from pipeline.gallery.server import QdrantServerGallery

_COMPARED = 1024  # entries at a time
_FETCHED = 64  # whole pictures at a time: the copy is not searched while they are put
# Clocks of the programs that write to one server may differ by so much.
_CLOCKS = timedelta(minutes=10)


class Paced:
    """What is done again after a rest."""

    _next_ns = 0

    def due_s(self, now_ns: int) -> float:
        return max(0.0, (self._next_ns - now_ns) / 1e9)

    def rest(self, now_ns: int, rest_s: float) -> None:
        self._next_ns = now_ns + round(rest_s * 1e9)


class Pull(Paced):
    """`mark`  the file that remembers which collection this copy was last in line with"""

    def __init__(self, mark: Path, server_name: str) -> None:
        self._mark = mark
        self._server_name = server_name
        self._newest: datetime | None = None

    def run(
        self,
        local: Edited,
        server: QdrantServerGallery,
        journal: Journal,
        turn: threading.Condition,
        closing: Callable[[], bool],
    ) -> None:
        server.prepare()
        work = Work(local, server, journal, turn, closing)
        known = self._in_line_with(server)
        if self._newest is not None and known:
            since = _earlier(self._newest)
            self._see(changed for _, changed in work.take(server.changed_since(since)))
            if work.nothing_waits() and server.count() == local.count():
                return
        listed = work.take(server.changed_since(None))
        self._see(changed for _, changed in listed)
        work.settle_missing({entry.id for entry, _ in listed}, erase=known)
        self._remember(server)

    def _see(self, changes: Iterable[str]) -> None:
        """What somebody else's program says instead of a time tells nothing; nor does a clock that runs ahead."""
        now = datetime.now(timezone.utc)
        moments = [min(moment, now) for changed in changes if (moment := _moment(changed)) is not None]
        if self._newest is not None:
            moments.append(self._newest)
        self._newest = max(moments, default=None)

    def _in_line_with(self, server: QdrantServerGallery) -> bool:
        """Whether this copy was in line with this very collection before: only then is what it lacks, erased.

        A collection that was made anew, after a loss or on another server, gets what the copy has.
        """
        try:
            said = json_text.read(self._mark.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return False
        if isinstance(said, dict) and server.made is not None:
            return bool(said.get("made") == server.made)  # whichever node of a cluster is asked
        return bool(said == self._said(server))

    def _remember(self, server: QdrantServerGallery) -> None:
        if self._in_line_with(server):
            return
        making = self._mark.with_suffix(".new")
        try:
            with making.open("w", encoding="utf-8") as file:
                json.dump(self._said(server), file)
                file.flush()
                os.fsync(file.fileno())
            making.replace(self._mark)
            sync_folder(self._mark.parent)
        except OSError as error:
            raise GalleryError("The copy's mark cannot be written.", saw=f"{self._mark}: {error.strerror}") from error

    def _said(self, server: QdrantServerGallery) -> dict[str, str | None]:
        return {"server": self._server_name, "made": server.made}


class Work:
    """One look at the server."""

    def __init__(
        self,
        local: Edited,
        server: QdrantServerGallery,
        journal: Journal,
        turn: threading.Condition,
        closing: Callable[[], bool],
    ) -> None:
        self._local = local
        self._server = server
        self._journal = journal
        self._turn = turn
        self._closing = closing

    def nothing_waits(self) -> bool:
        with self._turn:
            return not len(self._journal)

    def take(self, listed: Iterable[tuple[Entry, str]]) -> list[tuple[Entry, str]]:
        """Put what is new into the copy and rename what has another name there; return what was listed."""
        there = [(entry, changed) for entry, changed in listed if _usable(entry)]
        for start in range(0, len(there), _COMPARED):
            self._compare([entry for entry, _ in there[start : start + _COMPARED]])
        return there

    def _compare(self, there: list[Entry]) -> None:
        with self._turn:
            if self._closing():
                return
            here = {entry.id: entry.name for entry in self._local.entries_of([entry.id for entry in there])}
        new = [entry.id for entry in there if entry.id not in here]
        for start in range(0, len(new), _FETCHED):
            fetched = self._server.kept_of(new[start : start + _FETCHED])
            self._change(Put(tuple(whole for kept in fetched for whole in self._whole(kept))))
        renamed: dict[str | None, list[str]] = {}
        for entry in there:
            if entry.id in here and here[entry.id] != entry.name:
                renamed.setdefault(entry.name, []).append(entry.id)
        for name, ids in renamed.items():
            self._change(Rename(tuple(ids), name))

    def settle_missing(self, there: set[str], *, erase: bool) -> None:
        """Pictures of the copy that the server has not: erased there, or never told of."""
        missing = tuple(entry.id for entry in self._local.entries() if entry.id not in there)
        if erase:
            self._change(Erase(missing))
            return
        for start in range(0, len(missing), _FETCHED):
            with self._turn:
                waits = _ids_waiting(self._journal)
                untold = [one for one in missing[start : start + _FETCHED] if one not in waits]
                if untold and not self._closing():
                    self._journal.append(Put(tuple(self._local.kept_of(untold))))

    def _change(self, change: Put | Rename | Erase) -> None:
        with self._turn:
            if self._closing():
                return
            waits = _ids_waiting(self._journal)
            if isinstance(change, Put):
                change = Put(tuple(kept for kept in change.pictures if kept.id not in waits))
            elif isinstance(change, Rename):
                change = Rename(tuple(one for one in change.ids if one not in waits), change.name)
            else:
                change = Erase(tuple(one for one in change.ids if one not in waits))
            if change.pictures if isinstance(change, Put) else change.ids:
                self._local.apply(change)

    def _whole(self, kept: Kept) -> list[Kept]:
        """What somebody else's program wrote there may be no picture of ours: it is left where it is."""
        try:
            picture = with_direction(kept.picture, space=self._local.space, dim=self._local.dim)
        except (ValueError, GalleryError):
            return []
        return [Kept(kept.id, kept.name, kept.time, picture)]


def _usable(entry: Entry) -> bool:
    try:
        check_id(entry.id)
        check_name(entry.name)
    except (GalleryError, EnrolmentError):
        return False
    return True


def _ids_waiting(journal: Journal) -> set[str]:
    ids: set[str] = set()
    for change in journal.changes():
        ids.update(kept.id for kept in change.pictures) if isinstance(change, Put) else ids.update(change.ids)
    return ids


def _moment(changed: str) -> datetime | None:
    """None for what is no time, or one of before there were such programs."""
    try:
        moment = datetime.fromisoformat(changed.replace("Z", "+00:00"))
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    return moment if moment.year >= 2000 else None


def _earlier(moment: datetime) -> str:
    since = (moment - _CLOCKS).astimezone(timezone.utc)
    return since.isoformat(timespec="milliseconds").replace("+00:00", "Z")
