from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from multiprocessing.connection import Connection

import pytest

from pipeline.lease import SlotLocks
from pipeline.memory import AnonymousBlock, NamedBlock

Block = AnonymousBlock | NamedBlock


@pytest.fixture(params=[AnonymousBlock, NamedBlock])
def block(request: pytest.FixtureRequest) -> Iterator[Block]:
    made: Block = request.param("test", 4096)
    yield made
    made.close()


def test_many_may_share_and_only_one_may_own(block: Block) -> None:
    a, b = SlotLocks(block, 4), SlotLocks(block, 4)
    assert a.share(1)
    assert b.share(1)
    assert not b.own(1)
    assert not SlotLocks(block, 4).own(1)
    assert b.own(2)
    assert not a.share(2)
    b.free(2)
    assert a.share(2)


def test_a_share_taken_twice_is_held_until_it_is_freed_twice(block: Block) -> None:
    a, b = SlotLocks(block, 1), SlotLocks(block, 1)
    assert a.share(0)
    assert a.share(0)
    a.free(0)
    assert not b.own(0)
    a.free(0)
    assert b.own(0)


def hold_and_wait(block: Block, pipe: Connection) -> None:
    pipe.send(SlotLocks(block, 1).own(0))
    pipe.recv()


def test_the_kernel_frees_what_a_killed_process_held(block: Block) -> None:
    spawn = multiprocessing.get_context("spawn")
    here, there = spawn.Pipe()
    process = spawn.Process(target=hold_and_wait, args=(block, there))
    process.start()
    there.close()
    assert here.recv() is True
    mine = SlotLocks(block, 1)
    assert not mine.share(0)
    process.kill()
    process.join()
    assert mine.own(0)
    process.close()
    here.close()
