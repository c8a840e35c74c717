from __future__ import annotations

import numpy as np
import pytest

from pipeline import slot
from pipeline.messages import (
    AlignedFaces,
    Detections,
    FrameRef,
    Identities,
    NamedFace,
    Record,
    Shown,
    TrackedFace,
    Tracks,
    Visit,
)

REF = FrameRef("Tür 1", 2, 41, 1.64, 123_456_789, 41, (640, 360), (Visit("capture", 1, 2), Visit("detect", 3, 4)))
RNG = np.random.default_rng(1)
BOXES = RNG.random((3, 4), np.float32)
SCORES = RNG.random(3, np.float32)
LANDMARKS = RNG.random((3, 5, 2), np.float32)
CROPS = RNG.integers(0, 255, (3, 112, 112, 3), np.uint8)
FACE = TrackedFace(7, BOXES[0], LANDMARKS[0], 0.9, 0.8, RNG.random(128, np.float32))
NAMED = NamedFace(7, BOXES[0], LANDMARKS[0], 0.8, "Zoë", "known", 0.83, 0.2, 5)
RECORDS: list[Record] = [
    Detections(REF, BOXES, SCORES, LANDMARKS),
    Detections(REF, BOXES[:0], SCORES[:0], LANDMARKS[:0]),
    AlignedFaces(REF, BOXES, SCORES, LANDMARKS, CROPS, SCORES),
    Tracks(REF, (FACE,), (1, 2)),
    Identities(REF, "sface@sha256:12", (NAMED,)),
    Shown(REF, 3),
]


def same(a: object, b: object) -> bool:
    if isinstance(a, np.ndarray):
        return isinstance(b, np.ndarray) and a.dtype == b.dtype and np.array_equal(a, b)
    if isinstance(a, tuple) and isinstance(b, tuple):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    if hasattr(a, "__dataclass_fields__"):
        return type(a) is type(b) and all(same(getattr(a, f), getattr(b, f)) for f in a.__dataclass_fields__)
    return a == b


@pytest.mark.parametrize("record", RECORDS, ids=lambda r: f"{type(r).__name__}")
def test_a_record_comes_back_as_it_was(record: Record) -> None:
    memory = memoryview(bytearray(1 << 18))
    slot.write_record(memory, record)
    assert same(slot.read_record(memory.toreadonly()), record)


def test_arrays_of_a_record_are_views_into_the_slot() -> None:
    memory = memoryview(bytearray(1 << 18))
    slot.write_record(memory, RECORDS[2])
    seen = slot.read_record(memory.toreadonly())
    assert isinstance(seen, AlignedFaces)
    assert not seen.crops_bgr.flags.writeable
    start = np.frombuffer(memory, np.uint8).ctypes.data
    assert start <= seen.crops_bgr.ctypes.data < start + len(memory)


def test_a_record_that_does_not_fit_is_refused_before_anything_is_written() -> None:
    memory = memoryview(bytearray(4096))
    with pytest.raises(ValueError, match="does not fit"):
        slot.write_record(memory, RECORDS[2])
    assert not any(memory)


def test_a_frame_is_read_where_it_lies() -> None:
    memory = memoryview(bytearray(slot.frame_bytes((64, 48))))
    ref = FrameRef("cam", 0, 5, 0.2, 1, 5, (64, 48))
    slot.write_ref(memory, ref)
    slot.pixels(memory, ref.size_wh)[:] = 77
    frame = slot.read_frame(memory.toreadonly())
    assert frame.ref == ref
    assert frame.image_bgr.shape == (48, 64, 3)
    assert (frame.image_bgr == 77).all()
    assert not frame.image_bgr.flags.writeable
