from __future__ import annotations

import multiprocessing
from collections.abc import Iterator

import pytest

from pipeline.bell import Bell


@pytest.fixture(params=[False, True], ids=["eventfd", "pipe"])
def bell(request: pytest.FixtureRequest) -> Iterator[Bell]:
    made = Bell(pipe=request.param)
    yield made
    made.close()


def test_a_ring_is_kept_until_somebody_waits(bell: Bell) -> None:
    bell.ring()
    assert bell.wait(0)
    assert not bell.wait(0)


def test_many_rings_wake_once(bell: Bell) -> None:
    for _ in range(3000):
        bell.ring()
    assert bell.wait(0)
    assert not bell.wait(0)


def test_ringing_never_waits_for_the_waiter(bell: Bell) -> None:
    for _ in range(100_000):
        bell.ring()
    assert bell.wait(0)


def ring_from_there(bell: Bell) -> None:
    bell.ring()


def test_another_process_can_ring(bell: Bell) -> None:
    process = multiprocessing.get_context("spawn").Process(target=ring_from_there, args=(bell,))
    process.start()
    assert bell.wait(30)
    process.join()
    process.close()
