"""A gallery moves: what is missing at the new place is put there, and everything is read back and compared.

Nothing is remembered but what is there, so a move that was stopped goes on by being begun again, and one that is whole
changes nothing. The source counts: what another name has there is given the source's name. Nothing is erased.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np

from pipeline.gallery.edits import PAGE, Edited, Entry, Put, Rename
from pipeline.gallery.gallery import Kept

# A server makes vectors of unit length anew, which moves the last bit.
_SAME_NUMBER = 1e-6


@dataclass(frozen=True, slots=True)
class Compared:
    """pictures  that both have, alike or not
    here      checksum of all but the vectors; equal to `there` when all are alike
    there
    differing  ids of pictures that are not alike, at most some of them
    """

    pictures: int
    here: str
    there: str
    differing: tuple[str, ...]

    @property
    def is_same(self) -> bool:
        return not self.differing and self.here == self.there


@dataclass(frozen=True, slots=True)
class Moved:
    """put      pictures that were missing, or were another's
    renamed  pictures that had another name
    source, target  how many pictures each has now
    """

    put: int
    renamed: int
    source: int
    target: int
    compared: Compared

    @property
    def is_whole(self) -> bool:
        """Each picture of the source is at the target as it was read back; the target may have more."""
        seen = self.compared
        return seen.is_same and seen.pictures == self.source <= self.target


class Move:
    """`run` once; `tell` is told how many pictures are settled."""

    def __init__(self, source: Edited, target: Edited, tell: Callable[[int], object]) -> None:
        self._source = source
        self._target = target
        self._tell = tell
        self._put = 0
        self._renamed = 0
        self._sums = Sums()

    def run(self) -> Moved:
        for some in _portions(self._source.entries()):
            self._settle(some)
            self._compare([entry.id for entry in some])
            self._tell(len(some))
        return Moved(self._put, self._renamed, self._source.count(), self._target.count(), self._sums.compared())

    def _settle(self, some: list[Entry]) -> None:
        there = {entry.id: entry for entry in self._target.entries_of([entry.id for entry in some])}
        missing = [entry.id for entry in some if entry.id not in there]
        self._bring(self._source.kept_of(missing))
        renamed: dict[str | None, list[str]] = {}
        for entry in some:
            if entry.id in there and there[entry.id].name != entry.name:
                renamed.setdefault(entry.name, []).append(entry.id)
        for name, ids in renamed.items():
            self._target.apply(Rename(tuple(ids), name))
            self._renamed += len(ids)

    def _bring(self, pictures: list[Kept]) -> None:
        if pictures:
            self._target.apply(Put(tuple(pictures)))
            self._put += len(pictures)

    def _compare(self, ids: list[str]) -> None:
        """What came damaged is brought a second time, and then told as it is."""
        here = self._source.kept_of(ids)
        there = {kept.id: kept for kept in self._target.kept_of(ids)}
        wrong = [kept for kept in here if kept.id not in there or not alike(kept, there[kept.id])]
        if wrong:
            self._bring(wrong)
            there |= {kept.id: kept for kept in self._target.kept_of([kept.id for kept in wrong])}
        self._sums.add(here, there)


class Sums:
    """Checksums of two galleries, picture by picture; in which order does not matter."""

    def __init__(self) -> None:
        self._pictures = 0
        self._here = 0
        self._there = 0
        self._differing: list[str] = []

    def add(self, here: Iterable[Kept], there: dict[str, Kept]) -> None:
        for kept in here:
            other = there.get(kept.id)
            self._here += _number(kept)
            self._there += 0 if other is None else _number(other)
            self._pictures += other is not None
            if (other is None or not alike(kept, other)) and len(self._differing) < PAGE:
                self._differing.append(kept.id)

    def compared(self) -> Compared:
        return Compared(self._pictures, _text(self._here), _text(self._there), tuple(self._differing))


def compare(here: Edited, there: Edited, tell: Callable[[int], object]) -> Compared:
    """Every picture of the one with the same one of the other, without changing anything."""
    sums = Sums()
    for some in _portions(here.entries()):
        ids = [entry.id for entry in some]
        sums.add(here.kept_of(ids), {kept.id: kept for kept in there.kept_of(ids)})
        tell(len(some))
    return sums.compared()


def alike(one: Kept, other: Kept) -> bool:
    """The same to the last letter and pixel; vectors but for their last bit."""
    nearly = np.allclose(one.picture.embedding, other.picture.embedding, rtol=0, atol=_SAME_NUMBER)
    return bool(nearly) and _number(one) == _number(other)


def _number(kept: Kept) -> int:
    """All of a picture but its vector, as a number."""
    picture, cutout = kept.picture, kept.picture.cutout
    marks = None if cutout is None else [round(float(value), 4) for value in cutout.landmarks.reshape(-1)]
    said = [kept.id, kept.name, kept.time, picture.image_hash, round(picture.quality, 6), picture.source, marks]
    taken = hashlib.sha256(json.dumps(said, ensure_ascii=False).encode())
    taken.update(b"" if cutout is None else cutout.jpeg)
    return int.from_bytes(taken.digest()[:24], "big")


def _text(total: int) -> str:
    return hashlib.sha256(str(total).encode()).hexdigest()[:16]


def _portions(entries: Iterator[Entry]) -> Iterator[list[Entry]]:
    while some := list(islice(entries, PAGE)):
        yield some
