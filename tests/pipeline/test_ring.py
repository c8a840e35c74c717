from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from pipeline.bell import Bell
from pipeline.memory import AnonymousBlock, NamedBlock
from pipeline.ring import Reader, Ring, Writer
from pipeline.ring_header import RingSpec

Make = Callable[[str, int], AnonymousBlock | NamedBlock]


KINDS = [AnonymousBlock, NamedBlock]


def ring(kind: Make, *, lossless: bool) -> Iterator[Ring]:
    spec = RingSpec("test", 4, 4096, ("first", "second"), lossless)
    bells = Bell(), Bell(pipe=True)
    made = Ring(spec, reader_bell=bells[0], space_bell=bells[1], make=kind)
    yield made
    made.close()
    for bell in bells:
        bell.close()


@pytest.fixture(params=KINDS)
def live(request: pytest.FixtureRequest) -> Iterator[Ring]:
    yield from ring(request.param, lossless=False)


@pytest.fixture(params=KINDS)
def lossless(request: pytest.FixtureRequest) -> Iterator[Ring]:
    yield from ring(request.param, lossless=True)


def write(writer: Writer, value: int) -> bool:
    claim = writer.claim()
    if claim is None:
        return False
    claim.view[0] = value
    claim.publish()
    return True


def read_next(reader: Reader) -> int | None:
    lease = reader.next()
    if lease is None:
        return None
    value = lease.view[0]
    lease.release()
    reader.done(lease.position)
    return value


def test_lossless_delivers_everything_in_order(lossless: Ring) -> None:
    writer, first, second = lossless.writer(), lossless.reader("first"), lossless.reader("second")
    seen: list[int | None] = []
    for value in range(20):
        assert write(writer, value)
        seen.append(read_next(first))
        assert read_next(second) == value
    assert seen == list(range(20))


def test_lossless_writer_waits_for_the_slowest_reader(lossless: Ring) -> None:
    writer, first, second = lossless.writer(), lossless.reader("first"), lossless.reader("second")
    assert [write(writer, v) for v in range(5)] == [True] * 4 + [False]
    assert [read_next(first) for _ in range(4)] == [0, 1, 2, 3]
    assert not write(writer, 4), "the second reader has read nothing yet"
    assert read_next(second) == 0
    assert write(writer, 4)


def test_lossless_writer_is_told_of_space_when_it_asked(lossless: Ring) -> None:
    writer, first, second = lossless.writer(), lossless.reader("first"), lossless.reader("second")
    while write(writer, 0):
        pass
    read_next(first)
    assert not lossless.space_bell.wait(0)
    writer.header.ask_for_space()
    read_next(second)
    assert lossless.space_bell.wait(0)


def test_a_reader_that_failed_for_good_holds_nobody_up(lossless: Ring) -> None:
    writer, first = lossless.writer(), lossless.reader("first")
    lossless.header().retire("second")
    for value in range(10):
        assert write(writer, value)
        assert read_next(first) == value


def test_live_writer_never_waits_and_the_reader_takes_the_newest(live: Ring) -> None:
    writer, first = live.writer(), live.reader("first")
    assert all(write(writer, value) for value in range(10))
    lease = first.newest()
    assert lease is not None
    assert (lease.position, lease.view[0]) == (9, 9)
    lease.release()
    first.done(lease.position)
    assert live.header().dropped("first") == 9
    assert first.newest() is None


def test_live_writer_leaves_a_leased_slot_alone(live: Ring) -> None:
    writer, first = live.writer(), live.reader("first")
    write(writer, 7)
    lease = first.newest()
    assert lease is not None
    for value in range(20):
        assert write(writer, 100 + value)
    assert lease.view[0] == 7
    assert live.reader("second").at(lease.position) is not None


def test_live_writer_has_no_slot_when_all_are_leased(live: Ring) -> None:
    writer, reader = live.writer(), live.reader("first")
    for value in range(4):
        write(writer, value)
    leases = [reader.at(position) for position in range(4)]
    assert writer.claim() is None
    lease = leases[2]
    assert lease is not None
    lease.release()
    assert write(writer, 9)


def test_a_position_that_was_overwritten_is_gone(live: Ring) -> None:
    writer, reader = live.writer(), live.reader("second")
    for value in range(5):
        write(writer, value)
    assert reader.at(0) is None
    lease = reader.at(1)
    assert lease is not None
    assert lease.view[0] == 1


def test_views_of_readers_are_read_only(lossless: Ring) -> None:
    write(lossless.writer(), 1)
    lease = lossless.reader("first").next()
    assert lease is not None
    with pytest.raises(TypeError):
        lease.view[0] = 2


def test_what_is_not_done_is_delivered_again_to_the_reader_that_comes_back(lossless: Ring) -> None:
    writer, reader = lossless.writer(), lossless.reader("first")
    write(writer, 1)
    write(writer, 2)
    assert read_next(reader) == 1
    lease = reader.next()
    assert lease is not None
    reader.close()  # as the kernel does when its process dies
    again = lossless.reader("first")
    assert read_next(again) == 2


def test_a_slot_that_a_dead_writer_left_half_written_is_never_read(lossless: Ring) -> None:
    first = lossless.writer()
    write(first, 1)
    claim = first.claim()
    assert claim is not None
    claim.view[0] = 99
    first._locks.close()  # as the kernel does when its process dies
    reader = lossless.reader("first")
    assert read_next(reader) == 1
    assert read_next(reader) is None
    second = lossless.writer()
    assert second.head == 1
    write(second, 2)
    assert read_next(reader) == 2


def test_a_writer_that_died_before_it_moved_the_head_does_not_publish_twice(lossless: Ring) -> None:
    writer = lossless.writer()
    write(writer, 1)
    lossless.header().words[0] = 0  # the head, as the dead writer left it
    assert lossless.writer().head == 1


def test_kept_slots_are_held_until_the_other_readers_are_done(live: Ring) -> None:
    writer, first, second = live.writer(), live.reader("first"), live.reader("second")
    write(writer, 1)
    lease = first.newest()
    assert lease is not None
    first.keep(lease)
    first.done(lease.position)
    for value in range(10):
        write(writer, 100 + value)
    assert first.kept() == 1
    held = second.at(lease.position)
    assert held is not None
    assert held.view[0] == 1
    held.release()
    second.done(lease.position)
    assert first.kept() == 0
    for value in range(4):
        write(writer, value)
    assert second.at(lease.position) is None


def test_the_end_is_seen_after_the_last_record(lossless: Ring) -> None:
    writer, reader = lossless.writer(), lossless.reader("first")
    write(writer, 1)
    writer.end()
    assert not reader.ended
    read_next(reader)
    assert reader.ended


def test_endpoints_in_one_process_do_not_share_their_locks(live: Ring) -> None:
    writer, first, second = live.writer(), live.reader("first"), live.reader("second")
    write(writer, 5)
    a, b = first.newest(), second.newest()
    assert a is not None
    assert b is not None
    b.release()
    for value in range(10):
        write(writer, 100 + value)
    assert a.view[0] == 5
