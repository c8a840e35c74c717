"""Records on a ring: what a stage reads from, looks at and writes to."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline import slot
from pipeline.bell import Bell
from pipeline.board import Post
from pipeline.clock import now_ns
from pipeline.messages import FrameRef, Record
from pipeline.ring import Claim, Lease, Reader, Writer

LIVE_IN_FLIGHT = 3  # frames of one live camera between detect and draw: enough to keep all busy, too few to lag
_NAP_S = 0.25


class Pulse:
    """A process's way to wait: it sleeps until somebody rings, and beats its heart each time."""

    def __init__(self, post: Post, bell: Bell) -> None:
        self._post = post
        self._bell = bell

    def beat(self) -> None:
        self._post.beat()

    def work_done(self) -> None:
        """A picture was given, a record worked through."""
        self._post.work_done()

    def wait(self, timeout_s: float = _NAP_S) -> None:
        self._post.beat()
        self._bell.wait(min(timeout_s, _NAP_S))
        self._post.beat()

    def rest(self, seconds: float) -> None:
        """So long, or until asked to stop."""
        until_ns = now_ns() + int(seconds * 1e9)
        while (left_s := (until_ns - now_ns()) / 1e9) > 0 and not self.stopping:
            self.wait(left_s)

    def wait_to_go(self) -> None:
        """A source begins when all stages behind it are ready: nothing is dropped while they load."""
        while not self._post.may_go and not self.stopping:
            self.wait()

    @property
    def stopping(self) -> bool:
        """What a process has not begun yet it need not begin."""
        return self._post.asked_to_stop or self._post.asked_to_leave

    @property
    def leaving(self) -> bool:
        """Stages end when they have read all, unless they are to leave at once and come back."""
        return self._post.asked_to_leave


class Stopped(Exception):
    """A source was asked to stop while it waited for space."""


@dataclass(frozen=True, slots=True)
class Received:
    record: Record
    lease: Lease
    reader: Reader


class Inbox:
    """What a stage reads: one ring, or one for each camera; at most one record of each at a time."""

    def __init__(self, readers: Iterable[Reader], decode: Callable[[memoryview], Record]) -> None:
        self._readers = tuple(readers)
        self._decode = decode

    def take(self) -> list[Received]:
        taken = []
        for reader in self._readers:
            lease = reader.next() if reader.spec.lossless else _newest_if_room(reader)
            if lease is not None:
                taken.append(Received(self._decode(lease.view), lease, reader))
        return taken

    def done(self, received: Received, *, passed_on: bool) -> None:
        """Its result is published (or it gave none): it will not be delivered again."""
        reader = received.reader
        if reader.spec.lossless or not passed_on:
            received.lease.release()
        else:
            reader.keep(received.lease)
        reader.done(received.lease.position)

    @property
    def ended(self) -> bool:
        return all(reader.ended for reader in self._readers)


def _newest_if_room(reader: Reader) -> Lease | None:
    if reader.kept() >= LIVE_IN_FLIGHT:
        reader.ask_for_space()
        if reader.kept() >= LIVE_IN_FLIGHT:
            return None
    return reader.newest()


class Look:
    """Frames by reference: a stage that was told of a frame sees the very same pixels."""

    def __init__(self, readers: dict[str, Reader]) -> None:
        self._readers = readers

    def at(self, ref: FrameRef) -> Lease | None:
        """A lease on the frame; None when a live camera has overwritten it."""
        return self._readers[ref.camera].at(ref.position)

    def lost(self, ref: FrameRef) -> None:
        self._readers[ref.camera].count_drop()

    def done(self, ref: FrameRef) -> None:
        self._readers[ref.camera].done(ref.position)


def image_of(lease: Lease) -> NDArray[np.uint8]:
    """(H, W, 3) uint8, read-only, valid while the lease is held."""
    return slot.read_frame(lease.view).image_bgr


class Outbox:
    """What a stage writes. A record that the stage had published before it was killed is not published twice."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._last_seq = {ref.camera: ref.seq for ref in map(slot.read_ref, writer.latest())}

    def publish(self, record: Record, pulse: Pulse) -> None:
        """Waits for the readers when they are behind."""
        if record.ref.seq <= self._last_seq.get(record.ref.camera, -1):
            return
        claim = _claim(self._writer, pulse)
        slot.write_record(claim.view, record)
        claim.publish()
        self._last_seq[record.ref.camera] = record.ref.seq

    def end(self) -> None:
        self._writer.end()


class FrameOutbox:
    """Where a camera's pixels go, straight from the decoder's scaler into the slot."""

    def __init__(self, writer: Writer, pulse: Pulse) -> None:
        self._writer = writer
        self._pulse = pulse
        self._claim: Claim | None = None
        latest = writer.latest()
        self.last: FrameRef | None = slot.read_ref(latest[-1]) if latest else None

    def make_room(self) -> None:
        """Lossless: waits for the slowest reader, before a picture is decoded; Stopped when asked to stop meanwhile."""
        if self._claim is None and self._writer.spec.lossless:
            self._claim = _claim(self._writer, self._pulse, stop_early=True)

    def publish(self, ref: FrameRef, fill: Callable[[NDArray[np.uint8]], None]) -> None:
        """`fill` writes the pixels."""
        claim = self._claim or _claim(self._writer, self._pulse, stop_early=True)
        self._claim = None
        fill(slot.pixels(claim.view, ref.size_wh))
        ref = ref.after("capture", ref.captured_ns, now_ns())
        slot.write_ref(claim.view, ref)
        claim.publish()
        self.last = ref
        self._pulse.work_done()

    @property
    def next_position(self) -> int:
        return self._writer.head

    def end(self) -> None:
        self._writer.end()


def _claim(writer: Writer, pulse: Pulse, *, stop_early: bool = False) -> Claim:
    while (claim := writer.claim()) is None:
        if stop_early and pulse.stopping:
            raise Stopped
        writer.header.ask_for_space()
        claim = writer.claim()
        if claim is not None:
            break
        pulse.wait(0.05)
    return claim
