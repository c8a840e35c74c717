from __future__ import annotations

from app.away import AGAIN_AFTER_S, Away

S = 10**9


def test_an_absence_is_told_once_and_now_and_then() -> None:
    away = Away()
    tries = [away.missed("door", "closed", captured=7, now_ns=second * S) for second in range(0, 1300, 30)]
    assert tries[0] == "lost"
    told = [index * 30 for index, state in enumerate(tries) if state == "reconnecting"]
    assert told == [AGAIN_AFTER_S, 2 * AGAIN_AFTER_S]


def test_another_trouble_is_told_at_once() -> None:
    away = Away()
    troubles = ["closed", "unreachable", "unreachable", "authentication"]
    states = [away.missed("door", trouble, captured=7, now_ns=i) for i, trouble in enumerate(troubles)]
    assert states == ["lost", "reconnecting", None, "reconnecting"]


def test_a_camera_that_was_back_is_lost_again() -> None:
    away = Away()
    assert away.missed("door", "closed", captured=7, now_ns=0) == "lost"
    assert away.missed("yard", "closed", captured=0, now_ns=0) == "lost"
    assert away.missed("door", "closed", captured=8, now_ns=1) == "lost"
