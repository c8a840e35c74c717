"""A ring of slots in shared memory: one writer, several readers, any of which may be killed at any moment.

    live      the writer takes the oldest slot that nobody holds and never waits; the reader that drives takes the
              newest and counts what it passed over
    lossless  the writer waits for the slowest reader

A slot is touched only under its lock (see `lease`): shared for readers, exclusive for the writer. The writer blanks
the slot's position first and writes it last, so a slot that a killed writer left half written has no position and
nobody reads it. Cursors and counters live in the shared header, so a stage that comes back goes on where it was:
a position counts as read only when its reader says `done`.
"""

from __future__ import annotations

import mmap
from collections.abc import Callable
from dataclasses import dataclass

from pipeline.bell import Bell
from pipeline.lease import SlotLocks
from pipeline.memory import AnonymousBlock, NamedBlock, make_block

MAX_SLOTS = 256
MAX_READERS = 8

# The header is one page of 64-bit words.
_HEAD, _CLOSED, _WAITING = 0, 1, 2
_READERS = 16
_CURSOR, _DROPPED, _RETIRED, _READER_WORDS = 0, 1, 2, 4
_POSITIONS = _READERS + MAX_READERS * _READER_WORDS  # position + 1 of each slot; 0: nothing to read
_HEADER_BYTES = 4096


@dataclass(frozen=True, slots=True)
class RingSpec:
    """readers[0] is the one that drives: it is woken by every publication."""

    name: str
    slots: int
    slot_bytes: int
    readers: tuple[str, ...]
    lossless: bool

    def __post_init__(self) -> None:
        if not 2 <= self.slots <= MAX_SLOTS or not 1 <= len(self.readers) <= MAX_READERS:
            raise ValueError(f"{self.name}: {self.slots} slots, {len(self.readers)} readers")


class Ring:
    """Made by the parent, handed to the children, which open a `Writer` or `Reader` on it."""

    def __init__(
        self,
        spec: RingSpec,
        *,
        reader_bell: Bell,
        space_bell: Bell,
        make: Callable[[str, int], AnonymousBlock | NamedBlock] = make_block,
    ) -> None:
        """space_bell is rung when somebody asked to be told that a reader moved on."""
        self.spec = spec
        self.reader_bell = reader_bell
        self.space_bell = space_bell
        self.stride = -(-spec.slot_bytes // mmap.PAGESIZE) * mmap.PAGESIZE
        self.block = make(spec.name, _HEADER_BYTES + spec.slots * self.stride)

    def header(self) -> Header:
        return Header(self)

    def writer(self) -> Writer:
        return Writer(self)

    def reader(self, name: str) -> Reader:
        return Reader(self, name)

    def close(self) -> None:
        self.block.close()


class Header:
    """The words that all endpoints share. Each word has one writer; none is trusted without a slot's lock."""

    def __init__(self, ring: Ring) -> None:
        self.spec = ring.spec
        self.words = ring.block.map(length=_HEADER_BYTES, writable=True).cast("q")

    @property
    def head(self) -> int:
        """The next position to be written."""
        return self.words[_HEAD]

    @property
    def closed(self) -> bool:
        return bool(self.words[_CLOSED])

    def word(self, reader: str, field: int) -> int:
        return _READERS + self.spec.readers.index(reader) * _READER_WORDS + field

    def dropped(self, reader: str) -> int:
        return self.words[self.word(reader, _DROPPED)]

    def cursor(self, reader: str) -> int:
        return self.words[self.word(reader, _CURSOR)]

    def retire(self, reader: str) -> None:
        """Nobody waits for this reader any more: it failed for good."""
        self.words[self.word(reader, _RETIRED)] = 1

    def slowest(self, *, but: str | None = None) -> int:
        """The lowest cursor of the readers that are still there."""
        words = self.words
        lowest = self.head
        for index, name in enumerate(self.spec.readers):
            base = _READERS + index * _READER_WORDS
            if name != but and not words[base + _RETIRED]:
                lowest = min(lowest, words[base + _CURSOR])
        return lowest

    def positions(self) -> list[int]:
        """The position in each slot, −1 for none."""
        return [p - 1 for p in self.words[_POSITIONS : _POSITIONS + self.spec.slots].tolist()]

    def position(self, slot: int) -> int:
        return self.words[_POSITIONS + slot] - 1

    def place(self, slot: int, position: int) -> None:
        self.words[_POSITIONS + slot] = position + 1

    def ask_for_space(self) -> None:
        self.words[_WAITING] = 1


class Claim:
    """A slot that only the writer sees until it is published."""

    def __init__(self, writer: Writer, slot: int) -> None:
        self._writer = writer
        self._slot = slot
        self.position = writer.head
        self.view = writer.slot_view(slot)

    def publish(self) -> None:
        self._writer.publish(self._slot)

    def abandon(self) -> None:
        self._writer.abandon(self._slot)


class Writer:
    def __init__(self, ring: Ring) -> None:
        self.spec = ring.spec
        self.header = Header(ring)
        self._reader_bell = ring.reader_bell
        self._stride = ring.stride
        self._slots = ring.block.map(offset=_HEADER_BYTES, writable=True)
        self._locks = SlotLocks(ring.block, ring.spec.slots)
        # A writer that was killed may have published without moving the head.
        self.head = max(self.header.positions()) + 1
        self.header.words[_HEAD] = self.head

    def slot_view(self, slot: int) -> memoryview:
        start = slot * self._stride
        return self._slots[start : start + self.spec.slot_bytes]

    def latest(self) -> list[memoryview]:
        """What was published and is still there, oldest first. Only for a writer that has just been opened."""
        order = sorted((position, slot) for slot, position in enumerate(self.header.positions()) if position >= 0)
        return [self.slot_view(slot) for _, slot in order]

    def claim(self) -> Claim | None:
        """A slot to write into; None when there is none just now (lossless: ask for space, then wait)."""
        slot = self._next_in_turn() if self.spec.lossless else self._oldest_free()
        if slot is None:
            return None
        self.header.place(slot, -1)
        return Claim(self, slot)

    def publish(self, slot: int) -> None:
        self.header.place(slot, self.head)
        self._locks.free(slot)
        self.head += 1
        self.header.words[_HEAD] = self.head
        self._reader_bell.ring()

    def abandon(self, slot: int) -> None:
        self._locks.free(slot)

    def end(self) -> None:
        """Nothing more will be published."""
        self.header.words[_CLOSED] = 1
        self._reader_bell.ring()

    def _next_in_turn(self) -> int | None:
        slot = self.head % self.spec.slots
        if self.head - self.header.slowest() >= self.spec.slots:
            return None
        return slot if self._locks.own(slot) else None

    def _oldest_free(self) -> int | None:
        positions = self.header.positions()
        for slot in sorted(range(len(positions)), key=positions.__getitem__):
            if self._locks.own(slot):
                return slot
        return None


class Lease:
    """A slot that the writer cannot touch until it is released."""

    __slots__ = ("_reader", "_slot", "position", "view")

    def __init__(self, reader: Reader, slot: int, position: int) -> None:
        self._reader = reader
        self._slot = slot
        self.position = position
        self.view = reader.slot_view(slot)

    def release(self) -> None:
        self._reader.release(self._slot)


class Reader:
    def __init__(self, ring: Ring, name: str) -> None:
        self.name = name
        self.spec = ring.spec
        self.header = Header(ring)
        self._space_bell = ring.space_bell
        self._stride = ring.stride
        self._slots = ring.block.map(offset=_HEADER_BYTES, writable=False)
        self._locks = SlotLocks(ring.block, ring.spec.slots)
        self._cursor = self.header.word(name, _CURSOR)
        self._kept: list[Lease] = []

    def slot_view(self, slot: int) -> memoryview:
        """Read-only down to the page table."""
        start = slot * self._stride
        return self._slots[start : start + self.spec.slot_bytes]

    def release(self, slot: int) -> None:
        self._locks.free(slot)

    def at(self, position: int) -> Lease | None:
        """A lease on this very position; None when the writer has taken its slot."""
        slots = self.spec.slots
        likely = position % slots
        for slot in (likely, *(s for s in range(slots) if s != likely)):
            if self.header.position(slot) == position and self._locks.share(slot):
                if self.header.position(slot) == position:
                    return Lease(self, slot, position)
                self._locks.free(slot)
        return None

    def next(self) -> Lease | None:
        """The oldest that is not done. Lossless rings only: elsewhere it may be gone."""
        return self.at(self.header.words[self._cursor])

    def newest(self) -> Lease | None:
        """The newest that is not done."""
        cursor = self.header.words[self._cursor]
        for position in sorted(self.header.positions(), reverse=True):
            if position < cursor:
                return None
            lease = self.at(position)
            if lease is not None:
                return lease
        return None

    def done(self, position: int) -> None:
        """This position and all before it are behind this reader; what it never saw counts as dropped."""
        words = self.header.words
        passed_over = position - words[self._cursor]
        if passed_over < 0:
            return
        if passed_over and self.name == self.spec.readers[0]:
            self.count_drop(passed_over)
        words[self._cursor] = position + 1
        self._tell_of_space()

    def count_drop(self, frames: int = 1) -> None:
        self.header.words[self.header.word(self.name, _DROPPED)] += frames

    @property
    def ended(self) -> bool:
        """The writer is done, and so is this reader with all it wrote."""
        return self.header.closed and self.header.words[self._cursor] >= self.header.head

    def keep(self, lease: Lease) -> None:
        """Hold the slot until every other reader is done with it."""
        self._kept.append(lease)

    def kept(self) -> int:
        """How many slots are still held for others."""
        slowest = self.header.slowest(but=self.name)
        for lease in [k for k in self._kept if k.position < slowest]:
            lease.release()
            self._kept.remove(lease)
        return len(self._kept)

    def ask_for_space(self) -> None:
        self.header.ask_for_space()

    def close(self) -> None:
        self._locks.close()

    def _tell_of_space(self) -> None:
        if self.header.words[_WAITING]:
            self.header.words[_WAITING] = 0
            self._space_bell.ring()
