from __future__ import annotations

import numpy as np
import pytest

from testbench.track_score import Scored, score

LEFT, RIGHT = [0, 0, 40, 50], [200, 0, 240, 50]


def _frame(truth: dict[int, list[int]], tracks: dict[int, list[int]]) -> Scored:
    def boxes(of: dict[int, list[int]]) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        return np.array(list(of.values()), np.float32).reshape(-1, 4)

    return Scored(np.array(list(truth), np.int64), boxes(truth), np.array(list(tracks), np.int64), boxes(tracks))


def test_perfect_tracks() -> None:
    found = score([_frame({0: LEFT, 1: RIGHT}, {11: RIGHT, 10: LEFT})] * 10)
    assert (found.idf1, found.mota, found.id_switches, found.missed, found.false) == (1, 1, 0, 0, 0)


def test_ids_that_change_places_cost_what_they_should() -> None:
    before, after = (
        _frame({0: LEFT, 1: RIGHT}, {10: LEFT, 11: RIGHT}),
        _frame({0: LEFT, 1: RIGHT}, {11: LEFT, 10: RIGHT}),
    )
    found = score([before] * 6 + [after] * 4)
    assert found.id_switches == 2
    assert found.idf1 == pytest.approx(0.6)
    assert found.mota == pytest.approx(1 - 2 / 20)


def test_a_track_that_breaks_in_two_counts_with_its_longer_part() -> None:
    found = score([_frame({0: LEFT}, {10: LEFT})] * 7 + [_frame({0: LEFT}, {11: LEFT})] * 3)
    assert (found.idf1, found.id_switches) == (pytest.approx(0.7), 1)


def test_missed_and_false_boxes() -> None:
    found = score([_frame({0: LEFT}, {10: LEFT})] * 5 + [_frame({0: LEFT}, {})] * 3 + [_frame({}, {12: RIGHT})] * 2)
    assert (found.missed, found.false, found.id_switches) == (3, 2, 0)
    assert found.idf1 == pytest.approx(2 * 5 / (8 + 7))
    assert found.mota == pytest.approx(1 - 5 / 8)


def test_a_box_elsewhere_is_missed_and_false() -> None:
    found = score([_frame({0: LEFT}, {10: RIGHT})] * 4)
    assert (found.idf1, found.missed, found.false) == (0, 4, 4)


def test_who_was_paired_stays_so_while_it_fits() -> None:
    near = [4, 0, 44, 50]
    frames = [_frame({0: LEFT}, {10: near}), _frame({0: LEFT}, {10: near, 11: LEFT})]
    assert score(frames).id_switches == 0


def test_no_frames() -> None:
    assert score([]).idf1 == 0
