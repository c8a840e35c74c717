"""A server's gallery with a local copy: faces are looked up here, changes go there when it answers.

A change is on this disk, in the copy and in the journal, before it is reported as stored; one thread tells the server
of it, in order, and brings what others have changed there. So a server that is away is noticed by nobody but `health`.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from checkpoints.errors import UserError
from pipeline.clock import now_ns
from pipeline.gallery.edits import Change, Edited, Entry
from pipeline.gallery.gallery import Health, Kept, Match
from pipeline.gallery.journal import Journal
from pipeline.gallery.server import QdrantServerGallery


@dataclass(frozen=True, slots=True)
class Pace:
    """pull_s        how often what others have changed is asked for
    first_wait_s  after a failure; doubled after each further one
    longest_wait_s
    close_s       how long closing may wait for changes that are on their way
    """

    pull_s: float = 20.0
    first_wait_s: float = 0.5
    longest_wait_s: float = 30.0
    close_s: float = 1.0


class Follows(Protocol):
    """Brings what others have changed on the server to what is kept here."""

    def due_s(self, now_ns: int) -> float: ...
    def rest(self, now_ns: int, rest_s: float) -> None: ...
    def run(
        self,
        local: Edited,
        server: QdrantServerGallery,
        journal: Journal,
        turn: threading.Condition,
        closing: Callable[[], bool],
    ) -> None: ...


class MirroredGallery(Edited):
    def __init__(
        self,
        local: Edited,
        server: QdrantServerGallery,
        journal: Journal,
        pull: Follows,
        pace: Pace | None = None,
    ) -> None:
        super().__init__(space=local.space, dim=local.dim)
        self._local = local
        self._server = server
        self._journal = journal
        self._pull = pull
        self._pace = pace or Pace()
        self._turn = threading.Condition()  # of the copy and the journal
        self._closing = False
        self._pulled = False
        self._failures = 0
        self._trouble: UserError | None = None
        self._bug: BaseException | None = None
        self._away_since_ns: int | None = None
        # A crash can come after the journal was written and before the copy was.
        for change in journal.changes():
            local.apply(change)
        self._worker = threading.Thread(target=self._guarded, name="gallery server", daemon=True)
        self._worker.start()

    def count(self) -> int:
        return self._local.count()

    def entries(self, names: Collection[str | None] | None = None) -> Iterator[Entry]:
        return self._local.entries(names)

    def entries_of(self, ids: Collection[str]) -> list[Entry]:
        with self._turn:
            return self._local.entries_of(ids)

    def kept_of(self, ids: Sequence[str]) -> list[Kept]:
        with self._turn:
            return self._local.kept_of(ids)

    def search(self, embeddings: NDArray[np.float32], limit: int = 2) -> list[list[Match]]:
        with self._turn:
            return self._local.search(embeddings, limit)

    def apply(self, change: Change) -> None:
        with self._turn:
            self._journal.append(change)
            try:
                self._local.apply(change)
            except Exception:
                self._journal.retract()
                raise
            self._turn.notify_all()

    def health(self) -> Health:
        """Raises what has ended the thread: it is for the process to begin again."""
        with self._turn:
            if self._bug is not None:
                raise self._bug
            since_ns, waiting = self._away_since_ns, len(self._journal)
        return Health(None if since_ns is None else (now_ns() - since_ns) / 1e9, waiting)

    def catch_up(self, timeout_s: float) -> bool:
        """Wait until the copy is as the server was; False: the server does not answer, the copy is as it was."""
        with self._turn:
            self._turn.wait_for(lambda: self._pulled or self._failures > 0 or self._closing, timeout_s)
            return self._pulled

    def trouble(self) -> UserError | None:
        """What the server, the way to it, or what is kept here said last; None: all is well."""
        with self._turn:
            return self._trouble

    def close(self) -> None:
        with self._turn:
            self._turn.wait_for(lambda: not len(self._journal) or self._failures > 0, self._pace.close_s)
            self._closing = True
            self._turn.notify_all()
        self._worker.join(self._pace.close_s)
        # A request that is still under way ends by itself in its own time, and touches nothing here any more.
        self._server.close()
        with self._turn:
            self._journal.close()
            self._local.close()

    # -- the worker's side --

    def _guarded(self) -> None:
        try:
            self._work()
        except BaseException as error:  # noqa: BLE001  (raised again where `health` is asked for)
            with self._turn:
                self._bug = error
                self._failures += 1  # so that nobody waits for this thread
                self._turn.notify_all()

    def _work(self) -> None:
        while not self._closing:
            try:
                wait_s = self._round()
            except UserError as error:
                wait_s = self._failed(error)
            with self._turn:
                self._turn.notify_all()
                if self._failures:
                    self._turn.wait_for(lambda: self._closing, wait_s)
                else:
                    self._turn.wait_for(lambda: self._closing or len(self._journal) > 0 or self._failures > 0, wait_s)

    def _round(self) -> float:
        """One change told, or one look at what others did; how long to rest then."""
        with self._turn:
            waiting = self._journal.first()
        if waiting is not None and self._pulled:
            self._server.apply(waiting.change)
            with self._turn:
                if not self._closing:
                    self._journal.done(waiting.number)
            self._answered()
            return 0.0
        due_s = self._pull.due_s(now_ns())
        if due_s > 0:
            return due_s
        self._pull.run(self._local, self._server, self._journal, self._turn, lambda: self._closing)
        self._pull.rest(now_ns(), self._pace.pull_s)
        self._answered()
        with self._turn:
            self._pulled = True
        return 0.0

    def _answered(self) -> None:
        with self._turn:
            self._failures = 0
            self._trouble = None
            self._away_since_ns = None

    def _failed(self, error: UserError) -> float:
        """Twice as long after each failure, and never in step with other programs that lost the same server."""
        with self._turn:
            self._failures += 1
            self._trouble = error
            if self._away_since_ns is None:
                self._away_since_ns = now_ns()
            longest = min(self._pace.longest_wait_s, self._pace.first_wait_s * 2.0 ** min(self._failures - 1, 16))
        return longest * random.uniform(0.5, 1.0)
