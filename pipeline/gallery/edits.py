"""What people do to a gallery, said in three kinds of change that can be done twice without harm.

A change names the pictures by id, so that it can be kept in a journal and replayed: on another copy, or after a crash.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from checkpoints.errors import GalleryError
from pipeline.clock import utc_iso
from pipeline.gallery.gallery import Health, Kept, Match, Person, Picture
from pipeline.gallery.intake import check_id, check_name, fresh, with_direction

PAGE = 256  # whole pictures at a time


@dataclass(frozen=True, slots=True)
class Put:
    pictures: tuple[Kept, ...]


@dataclass(frozen=True, slots=True)
class Rename:
    ids: tuple[str, ...]
    name: str | None


@dataclass(frozen=True, slots=True)
class Erase:
    ids: tuple[str, ...]


Change = Put | Rename | Erase


@dataclass(frozen=True, slots=True)
class Entry:
    """A picture without the picture: whose, of which image, since when."""

    id: str
    name: str | None
    image_hash: str
    time: str


class Edited(ABC):
    """A gallery that lists its entries and carries out one change; the rest follows."""

    def __init__(self, *, space: str, dim: int) -> None:
        self._space = space
        self._dim = dim

    @property
    def space(self) -> str:
        return self._space

    @property
    def dim(self) -> int:
        return self._dim

    @abstractmethod
    def count(self) -> int:
        """Pictures, of people and of strangers."""

    @abstractmethod
    def entries(self, names: Collection[str | None] | None = None) -> Iterator[Entry]:
        """Of these people, of all when None, by id."""

    @abstractmethod
    def entries_of(self, ids: Collection[str]) -> list[Entry]:
        """Those of these pictures that there are."""

    @abstractmethod
    def kept_of(self, ids: Sequence[str]) -> list[Kept]:
        """Those of these pictures that there are, whole: as many at a time as fit into memory."""

    @abstractmethod
    def search(self, embeddings: NDArray[np.float32], limit: int = 2) -> list[list[Match]]: ...

    @abstractmethod
    def close(self) -> None: ...

    @abstractmethod
    def apply(self, change: Change) -> None:
        """All of it or nothing; when it returns it is safe. Ids that there are not are no mistake."""

    def add(self, name: str | None, pictures: Sequence[Picture]) -> int:
        check_name(name)
        known = {entry.image_hash for entry in self.entries([name])}
        taken = fresh(name, pictures, known, space=self._space, dim=self._dim)
        if taken:
            time = utc_iso()
            self.apply(Put(tuple(Kept(str(uuid4()), name, time, picture) for picture in taken)))
        return len(taken)

    def restore(self, pictures: Sequence[Kept]) -> int:
        there = {entry.id for entry in self.entries_of([kept.id for kept in pictures])}
        owned = {(entry.name, entry.image_hash) for entry in self.entries({kept.name for kept in pictures})}
        new: list[Kept] = []
        for kept in pictures:
            check_id(kept.id)
            check_name(kept.name)
            if kept.id in there or (kept.name, kept.picture.image_hash) in owned:
                continue
            new.append(replace(kept, picture=with_direction(kept.picture, space=self._space, dim=self._dim)))
            there.add(kept.id)
            owned.add((kept.name, kept.picture.image_hash))
        if new:
            self.apply(Put(tuple(new)))
        return len(new)

    def kept(self, names: Collection[str | None] | None = None) -> Iterator[Kept]:
        """What is erased meanwhile is left out, what is added meanwhile may be."""
        ids = [entry.id for entry in self.entries(names)]
        for start in range(0, len(ids), PAGE):
            yield from self.kept_of(ids[start : start + PAGE])

    def people(self) -> list[Person]:
        times: dict[str, list[str]] = {}
        for entry in self.entries():
            if entry.name is not None:
                times.setdefault(entry.name, []).append(entry.time)
        return [Person(name, len(of_name), min(of_name)) for name, of_name in sorted(times.items())]

    def rename(self, name: str, new_name: str) -> int:
        check_name(new_name)
        ids = self._ids_of(name)
        if new_name == name:
            return len(ids)
        if next(self.entries([new_name]), None) is not None:
            raise GalleryError(
                "Somebody else has this name.",
                saw=new_name,
                fix=f"choose another name, or say that they are one person: gallery merge {name!r} {new_name!r}",
            )
        self.apply(Rename(ids, new_name))
        return len(ids)

    def merge(self, name: str, into: str) -> int:
        ids = self._ids_of(name)
        theirs = {entry.image_hash for entry in self.entries([into])}
        if not theirs:
            raise _nobody(into)
        if into == name:
            return len(ids)
        twice = tuple(entry.id for entry in self.entries([name]) if entry.image_hash in theirs)
        # In this order a crash between the two leaves a picture twice, and never erases one.
        self.apply(Rename(ids, into))
        if twice:
            self.apply(Erase(twice))
        return len(ids)

    def remove(self, ids: Collection[str]) -> int:
        there = tuple(entry.id for entry in self.entries_of(ids))
        if there:
            self.apply(Erase(there))
        return len(there)

    def delete(self, name: str | None) -> int:
        return self.remove([entry.id for entry in self.entries([name])])

    def content_hash(self) -> str:
        return hash_of(self._space, self.entries())

    def health(self) -> Health:
        return Health()

    def _ids_of(self, name: str) -> tuple[str, ...]:
        ids = tuple(entry.id for entry in self.entries([name]))
        if not ids:
            raise _nobody(name)
        return ids


def hash_of(space: str, entries: Iterator[Entry]) -> str:
    """The order does not matter: the hashes of the entries are added."""
    total = 0
    for entry in entries:
        text = "\x00".join((entry.id, "stranger" if entry.name is None else f"={entry.name}", entry.image_hash))
        total += int.from_bytes(hashlib.sha256(text.encode()).digest()[:24], "big")
    return hashlib.sha256(f"{space}\x00{total}".encode()).hexdigest()


def _nobody(name: str) -> GalleryError:
    return GalleryError("There is nobody of this name.", saw=name, fix="see who is known: gallery list")
