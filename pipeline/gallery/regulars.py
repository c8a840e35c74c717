"""Who comes often to this station: kept here whole, so that they are known while the cluster does not answer.

Somebody is a regular whom the cluster has found nearest several times: among millions, a stranger's nearest is another
one each time. What is kept here follows the cluster: new regulars come with the next look, and every few minutes all
of them are compared, so that who is renamed or erased there is so here. In between faces are looked up on the cluster
itself; and a thousand cameras that list all their regulars at every look would be more work for it than their faces.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence

from pipeline.clock import now_ns
from pipeline.gallery.edits import Edited, Entry
from pipeline.gallery.gallery import Match
from pipeline.gallery.journal import Journal
from pipeline.gallery.pull import Paced, Work
from pipeline.gallery.server import QdrantServerGallery

OFTEN = 5
MOST_PEOPLE = 500
MOST_PICTURES = 5_000
ALL_EVERY_S = 300.0
_COUNTED = 20_000  # names that were met, often or not


class Regulars(Paced):
    """Follows the cluster in the place of a `Pull`. `met` is for another thread than the rest.

    all_every_s  how often all that is kept here is compared
    """

    def __init__(self, all_every_s: float = ALL_EVERY_S) -> None:
        self._all_every_s = all_every_s
        self._all_from_ns = 0
        self._listed: set[str] = set()
        self._times: OrderedDict[str, int] = OrderedDict()  # who was met last stands last
        self._lock = threading.Lock()

    def met(self, found: Sequence[Sequence[Match]]) -> None:
        names = [matches[0].name for matches in found if matches and matches[0].name is not None]
        with self._lock:
            for name in names:
                self._times[name] = self._times.pop(name, 0) + 1
            while len(self._times) > _COUNTED:
                self._times.popitem(last=False)

    def names(self) -> list[str]:
        """Who was met often, the last first."""
        with self._lock:
            often = [name for name, times in reversed(self._times.items()) if times >= OFTEN]
        return often[:MOST_PEOPLE]

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
        names = self.names()
        if now_ns() < self._all_from_ns:
            work.take((entry, "") for entry in server.entries([name for name in names if name not in self._listed]))
            self._listed.update(names)
            return
        with turn:
            here = [entry.id for entry in local.entries()]
        there = list(server.entries(names))
        regular = {entry.id for entry in there}
        there += server.entries_of([one for one in here if one not in regular])
        work.take((entry, "") for entry in there)
        work.settle_missing(_staying(there, names), erase=True)
        self._listed = set(names)
        self._all_from_ns = now_ns() + round(self._all_every_s * 1e9)


def _staying(there: Sequence[Entry], names: Sequence[str]) -> set[str]:
    """Where there are too many, only the pictures of regulars."""
    kept = {entry.id: entry.name for entry in there}
    if len(kept) <= MOST_PICTURES:
        return set(kept)
    regulars = set(names)
    return set([one for one, name in kept.items() if name in regulars][:MOST_PICTURES])
