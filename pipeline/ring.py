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

from pipeline.bell import Bell
from pipeline.lease import SlotLocks
from pipeline.memory import AnonymousBlock, NamedBlock, make_block
from pipeline.ring_header import CURSOR, DROPPED, HEAD, HEADER_BYTES, WAITING, Header, RingSpec


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
        self.block = make(spec.name, HEADER_BYTES + spec.slots * self.stride)

    def header(self) -> Header:
        return Header(self.spec, self.block)

    def writer(self) -> Writer:
        return Writer(self)

    def reader(self, name: str) -> Reader:
        return Reader(self, name)

    def close(self) -> None:
        self.block.close()


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
        self.header = Header(ring.spec, ring.block)
        self._reader_bell = ring.reader_bell
        self._stride = ring.stride
        self._slots = ring.block.map(offset=HEADER_BYTES, writable=True)
        self._locks = SlotLocks(ring.block, ring.spec.slots)
        # A writer that was killed may have published without moving the head.
        self.head = max(self.header.positions()) + 1
        self.header.words[HEAD] = self.head

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
        self.header.words[HEAD] = self.head
        self._reader_bell.ring()

    def abandon(self, slot: int) -> None:
        self._locks.free(slot)

    def end(self) -> None:
        """Nothing more will be published."""
        self.header.close()
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
        self.header = Header(ring.spec, ring.block)
        self._space_bell = ring.space_bell
        self._stride = ring.stride
        self._slots = ring.block.map(offset=HEADER_BYTES, writable=False)
        self._locks = SlotLocks(ring.block, ring.spec.slots)
        self._cursor = self.header.word(name, CURSOR)
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
        self.header.words[self.header.word(self.name, DROPPED)] += frames

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
        if self.header.words[WAITING]:
            self.header.words[WAITING] = 0
            self._space_bell.ring()
