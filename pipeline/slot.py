"""How a record lies in a slot: a fixed header that says which frame and where it has been, then the record.

0     camera, epoch, seq, pts, capture time, position, size, and the enter and exit times of each stage
512   records: lengths, the pickled fields without their arrays, then each array as it is
1024  frames: the pixels
"""

from __future__ import annotations

import pickle
import struct

import numpy as np
from numpy.typing import NDArray

from pipeline.messages import AlignedFaces, Detections, Frame, FrameRef, Identities, Record, Shown, Tracks, Visit

MAX_VISITS = 8
FRAME_START = 1024
_BODY_START = 512
_ALIGN = 64
_REF = struct.Struct("<48sqqdqqiii")
_VISIT = struct.Struct("<16sqq")
_LENGTH = struct.Struct("<q")
_KINDS: tuple[type[Record], ...] = (Detections, AlignedFaces, Tracks, Identities, Shown)


def frame_bytes(size_wh: tuple[int, int]) -> int:
    return FRAME_START + size_wh[0] * size_wh[1] * 3


def write_ref(view: memoryview, ref: FrameRef) -> None:
    visits = ref.visits[:MAX_VISITS]
    camera = ref.camera.encode()[:48]
    where = (ref.epoch, ref.seq, ref.pts_s, ref.captured_ns, ref.position, *ref.size_wh, len(visits))
    _REF.pack_into(view, 0, camera, *where)
    for index, visit in enumerate(visits):
        at = _REF.size + index * _VISIT.size
        _VISIT.pack_into(view, at, visit.stage.encode(), visit.entered_ns, visit.left_ns)


def read_ref(view: memoryview) -> FrameRef:
    camera, epoch, seq, pts_s, captured_ns, position, width, height, count = _REF.unpack_from(view, 0)
    visits = []
    for index in range(count):
        stage, entered_ns, left_ns = _VISIT.unpack_from(view, _REF.size + index * _VISIT.size)
        visits.append(Visit(stage.rstrip(b"\0").decode(), entered_ns, left_ns))
    name = camera.rstrip(b"\0").decode(errors="replace")
    return FrameRef(name, epoch, seq, pts_s, captured_ns, position, (width, height), tuple(visits))


def pixels(view: memoryview, size_wh: tuple[int, int]) -> NDArray[np.uint8]:
    """(H, W, 3) uint8, in place."""
    width, height = size_wh
    flat: NDArray[np.uint8] = np.frombuffer(view, np.uint8, width * height * 3, FRAME_START)
    return flat.reshape(height, width, 3)


def read_frame(view: memoryview) -> Frame:
    ref = read_ref(view)
    return Frame(ref, pixels(view, ref.size_wh))


def write_record(view: memoryview, record: Record) -> None:
    """Raises ValueError when the record does not fit."""
    fields = tuple(getattr(record, name) for name in record.__dataclass_fields__ if name != "ref")
    arrays: list[pickle.PickleBuffer] = []
    body = pickle.dumps((_KINDS.index(type(record)), fields), protocol=5, buffer_callback=arrays.append)
    raw = [array.raw() for array in arrays]
    at = _BODY_START + _LENGTH.size * (2 + len(raw))
    if _aligned(at + len(body)) + sum(_aligned(len(r)) for r in raw) > len(view):
        raise ValueError(f"a {type(record).__name__} of {sum(map(len, raw))} bytes does not fit a slot of {len(view)}")
    write_ref(view, record.ref)
    for index, length in enumerate((len(body), len(raw), *map(len, raw))):
        _LENGTH.pack_into(view, _BODY_START + index * _LENGTH.size, length)
    for piece in (memoryview(body), *raw):
        view[at : at + len(piece)] = piece
        at = _aligned(at + len(piece))


def read_record(view: memoryview) -> Record:
    """The arrays of the record are views into the slot, valid while it is leased."""
    body_length, count = (_LENGTH.unpack_from(view, _BODY_START + i * _LENGTH.size)[0] for i in (0, 1))
    lengths = [_LENGTH.unpack_from(view, _BODY_START + (2 + i) * _LENGTH.size)[0] for i in range(count)]
    at = _BODY_START + _LENGTH.size * (2 + count)
    body = view[at : at + body_length]
    at = _aligned(at + body_length)
    arrays = []
    for length in lengths:
        arrays.append(view[at : at + length])
        at = _aligned(at + length)
    # Only our own processes can write here: the memory has no name.
    kind, fields = pickle.loads(body, buffers=arrays)  # noqa: S301
    record: Record = _KINDS[kind](read_ref(view), *fields)
    return record


def _aligned(offset: int) -> int:
    return -(-offset // _ALIGN) * _ALIGN
