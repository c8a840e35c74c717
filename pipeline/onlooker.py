"""Looking on at a ring without a place in it: nobody waits for an onlooker, and it holds nothing that others want.

It copies a slot and looks afterwards whether the slot was still the same. Whoever owns a slot to write has its lock
before the first byte changes, and blanks the position before it lets go again: so a copy is whole when, after it, the
lock is free and the position is what it was before.
"""

from __future__ import annotations

from pipeline import slot
from pipeline.lease import SlotLocks
from pipeline.messages import Frame, FrameRef, Record
from pipeline.ring import Ring
from pipeline.ring_header import HEADER_BYTES, Header


class Onlooker:
    def __init__(self, ring: Ring) -> None:
        self.spec = ring.spec
        self.header = Header(ring.spec, ring.block, writable=False)
        self._stride = ring.stride
        self._slots = ring.block.map(offset=HEADER_BYTES, writable=False)
        self._locks = SlotLocks(ring.block, ring.spec.slots)

    def newest_ref(self) -> FrameRef | None:
        """Which frame was published last; None when there is none yet, or it is just being replaced."""
        data = self._copied(max(self.header.positions()), slot.FRAME_START)
        return None if data is None else slot.read_ref(memoryview(data))

    def frame(self, ref: FrameRef) -> Frame | None:
        """The frame of this reference with pixels of its own; None when it is gone."""
        data = self._copied(ref.position, slot.frame_bytes(ref.size_wh))
        return None if data is None else slot.read_frame(memoryview(data))

    def since(self, position: int) -> list[tuple[int, Record]]:
        """The records from this position on that are still there, oldest first, each with its position."""
        found = []
        for one in sorted(p for p in self.header.positions() if p >= max(position, 0)):
            data = self._copied(one, self.spec.slot_bytes)
            if data is not None:
                found.append((one, slot.read_record(memoryview(data))))
        return found

    def close(self) -> None:
        self._locks.close()

    def _copied(self, position: int, length: int) -> bytearray | None:
        if position < 0 or position not in (positions := self.header.positions()):
            return None
        place = positions.index(position)
        start = place * self._stride
        data = bytearray(self._slots[start : start + length])
        # Asking for the lock is a system call, and so also the fence between the copy and the second look.
        return data if self._locks.unowned(place) and self.header.position(place) == position else None
