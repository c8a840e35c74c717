from __future__ import annotations

import threading

from pipeline.sources.backlog import BEHIND_S, FAR_BEHIND_S, THIN_EVERY_S, Backlog, waits

S = 10**9


def busy_for(backlog: Backlog, seconds: float) -> int:
    """Reads without a wait; gives the moment of the last one."""
    for hundredth in range(round(seconds * 100) + 1):
        backlog.read(waited=False, now_ns=hundredth * S // 100)
    return round(seconds * S)


def test_who_waits_for_the_network_is_up_to_date() -> None:
    backlog = Backlog()
    now_ns = busy_for(backlog, 10.0)
    backlog.read(waited=True, now_ns=now_ns)
    assert backlog.haste(now_ns) == "none"
    assert all(backlog.worth_publishing(now_ns + n) for n in range(10))


def test_a_burst_is_no_backlog() -> None:
    backlog = Backlog()
    assert backlog.haste(busy_for(backlog, BEHIND_S)) == "none"


def test_what_has_piled_up_is_decoded_but_not_shown() -> None:
    backlog = Backlog()
    now_ns = busy_for(backlog, BEHIND_S + 0.1)
    assert backlog.haste(now_ns) == "thin"
    moments = [now_ns + n * S // 100 for n in range(100)]
    assert sum(map(backlog.worth_publishing, moments)) == round(1 / THIN_EVERY_S)


def test_who_stays_behind_leaves_out_all_but_key_frames() -> None:
    backlog = Backlog()
    assert backlog.haste(busy_for(backlog, FAR_BEHIND_S + 0.1)) == "key frames"


def test_a_wait_is_counted_and_work_is_not() -> None:
    before = waits()
    threading.Event().wait(0.002)
    assert waits() > before
    counts = [_counted_while_busy() for _ in range(20)]
    assert min(counts) == 0


def _counted_while_busy() -> int:
    before = waits()
    sum(range(1000))
    return waits() - before
