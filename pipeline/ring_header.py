"""The first page of a ring: where its writer and its readers are. It outlives them all, since the parent owns it."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.memory import AnonymousBlock, NamedBlock

MAX_SLOTS = 256
MAX_READERS = 8

# The header is one page of 64-bit words.
HEAD, CLOSED, WAITING = 0, 1, 2
_READERS = 16
CURSOR, DROPPED, _RETIRED, _READER_WORDS = 0, 1, 2, 4
_POSITIONS = _READERS + MAX_READERS * _READER_WORDS  # position + 1 of each slot; 0: nothing to read
HEADER_BYTES = 4096


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


class Header:
    """The words that all endpoints share. Each word has one writer; none is trusted without a slot's lock."""

    def __init__(self, spec: RingSpec, block: AnonymousBlock | NamedBlock, *, writable: bool = True) -> None:
        self.spec = spec
        self.words = block.map(length=HEADER_BYTES, writable=writable).cast("q")

    @property
    def head(self) -> int:
        """The next position to be written."""
        return self.words[HEAD]

    @property
    def closed(self) -> bool:
        return bool(self.words[CLOSED])

    def close(self) -> None:
        """Nothing more will be published."""
        self.words[CLOSED] = 1

    def word(self, reader: str, field: int) -> int:
        return _READERS + self.spec.readers.index(reader) * _READER_WORDS + field

    def dropped(self, reader: str) -> int:
        return self.words[self.word(reader, DROPPED)]

    def cursor(self, reader: str) -> int:
        return self.words[self.word(reader, CURSOR)]

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
                lowest = min(lowest, words[base + CURSOR])
        return lowest

    def positions(self) -> list[int]:
        """The position in each slot, −1 for none."""
        return [p - 1 for p in self.words[_POSITIONS : _POSITIONS + self.spec.slots].tolist()]

    def position(self, slot: int) -> int:
        return self.words[_POSITIONS + slot] - 1

    def place(self, slot: int, position: int) -> None:
        self.words[_POSITIONS + slot] = position + 1

    def ask_for_space(self) -> None:
        self.words[WAITING] = 1
