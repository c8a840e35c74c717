"""Small cases worked out by hand."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from training.average_precision import Judged, judge, lower_ignored, summarise
from training.wider_face import LabelledPicture

FACE, OTHER, CROWD = [0, 0, 10, 10], [100, 0, 120, 20], [50, 50, 90, 90]


def _truth(*faces: list[int], ignored: tuple[list[int], ...] = ()) -> LabelledPicture:
    boxes = np.array([*faces, *ignored], np.float64).reshape(-1, 4)
    return LabelledPicture("one.jpg", boxes, np.arange(len(boxes)) >= len(faces))


def _judge(truth: LabelledPicture, *found: tuple[Sequence[float], float]) -> Judged:
    boxes = np.array([box for box, _ in found], np.float64).reshape(-1, 4)
    return judge(boxes, np.array([score for _, score in found], np.float64), truth)


def _told(judged: Judged) -> list[tuple[float, bool]]:
    return sorted(zip(judged.scores.tolist(), judged.right.tolist(), strict=True), reverse=True)


def test_a_box_on_a_face_is_right_and_one_elsewhere_wrong() -> None:
    judged = _judge(_truth(FACE), ([0, 0, 10, 9], 0.9), ([30, 0, 40, 10], 0.8))
    assert _told(judged) == [(0.9, True), (0.8, False)]


def test_half_in_common_is_just_enough() -> None:
    assert _told(_judge(_truth(FACE), ([0, 0, 10, 5], 0.9))) == [(0.9, True)]
    assert _told(_judge(_truth(FACE), ([0, 0, 10, 4.9], 0.9))) == [(0.9, False)]


def test_a_second_box_on_a_face_is_wrong_and_the_better_one_is_the_first() -> None:
    judged = _judge(_truth(FACE), ([0, 0, 10, 9], 0.6), ([0, 0, 9, 10], 0.7))
    assert _told(judged) == [(0.7, True), (0.6, False)]


def test_the_face_that_is_overlapped_most_is_taken() -> None:
    """The better detection takes the right-hand face although the left-hand one comes first."""
    near = _truth([0, 0, 10, 10], [2, 0, 12, 10])
    judged = _judge(near, ([2, 0, 12, 10], 0.9), ([0, 0, 10, 10], 0.8))
    assert _told(judged) == [(0.9, True), (0.8, True)]


def test_a_face_that_is_taken_leaves_the_next_best_one() -> None:
    near = _truth([0, 0, 10, 10], [3, 0, 13, 10])
    judged = _judge(near, ([0, 0, 10, 10], 0.9), ([1, 0, 11, 10], 0.8))
    assert _told(judged) == [(0.9, True), (0.8, True)]


def test_boxes_on_ignored_faces_do_not_count() -> None:
    truth = _truth(FACE, ignored=(CROWD,))
    overlapping, small_inside, beside = ([50, 50, 90, 80], 0.9), ([60, 60, 70, 70], 0.8), ([86, 60, 96, 70], 0.7)
    assert _told(_judge(truth, overlapping, small_inside, beside)) == [(0.7, False)]


def test_half_inside_an_ignored_face_is_enough_not_to_count() -> None:
    truth = _truth(FACE, ignored=(CROWD,))
    assert _told(_judge(truth, ([85, 60, 95, 70], 0.7))) == []


def test_a_box_that_takes_a_face_counts_although_it_lies_in_an_ignored_one() -> None:
    truth = _truth([60, 60, 70, 70], ignored=(CROWD,))
    judged = _judge(truth, ([60, 60, 70, 70], 0.5), ([60, 60, 70, 69], 0.9))
    assert _told(judged) == [(0.9, True)]


def test_a_picture_without_faces_has_only_wrong_boxes() -> None:
    assert _told(_judge(_truth(), (FACE, 0.9))) == [(0.9, False)]
    assert _told(_judge(_truth(FACE))) == []


def _judged(*told: tuple[float, bool]) -> Judged:
    return Judged(np.array([score for score, _ in told]), np.array([right for _, right in told], bool))


def test_average_precision_of_a_curve_by_hand() -> None:
    """Right, wrong, right, wrong, right of four faces: precisions 1, 1/2, 2/3, 1/2, 3/5 at recalls 1/4, 1/4, 1/2 …"""
    score = summarise([_judged((0.9, True), (0.8, False), (0.7, True), (0.6, False), (0.5, True))], faces=4)
    assert score.ap == pytest.approx((1 + 2 / 3 + 3 / 5) / 4)
    assert score.recall == 0.75
    assert score.wrong == 2


def test_precision_is_the_best_one_that_comes_later() -> None:
    """Wrong, right, right: at both faces the precision is 2/3, not 1/2 at the first."""
    assert summarise([_judged((0.9, False), (0.8, True), (0.7, True))], faces=2).ap == pytest.approx(2 / 3)


def test_equal_scores_are_one_point_of_the_curve_in_whatever_order() -> None:
    for told in ([(0.9, True), (0.9, False)], [(0.9, False), (0.9, True)]):
        assert summarise([_judged(*told)], faces=1).ap == pytest.approx(1 / 2)


def test_equal_scores_of_different_pictures_are_one_point_too() -> None:
    assert summarise([_judged((0.9, True)), _judged((0.9, False))], faces=1).ap == pytest.approx(1 / 2)


def test_recall_at_one_wrong_box_a_picture() -> None:
    told = [(0.9, True), (0.8, False), (0.7, True), (0.6, False), (0.5, False), (0.4, True)]
    two_pictures = [_judged(*told[:3]), _judged(*told[3:])]
    assert summarise(two_pictures, faces=4).recall_at_1fppi == 0.5
    assert summarise(two_pictures, faces=4).recall == 0.75


def test_recall_at_one_wrong_box_a_picture_where_ties_bring_too_many() -> None:
    assert summarise([_judged((0.9, False), (0.9, False), (0.9, True))], faces=1).recall_at_1fppi == 0


def test_nothing_found_is_nothing() -> None:
    score = summarise([_judged(), _judged()], faces=3)
    assert (score.ap, score.recall_at_1fppi, score.recall, score.wrong) == (0, 0, 0, 0)


def test_all_found_is_one() -> None:
    assert summarise([_judged((0.9, True), (0.8, True))], faces=2).ap == 1


def test_lower_faces_can_be_left_out() -> None:
    truth = lower_ignored(_truth(FACE, OTHER, ignored=(CROWD,)), 20)
    assert truth.ignored.tolist() == [True, False, True]
    assert lower_ignored(_truth(FACE, OTHER), 0).ignored.tolist() == [False, False]
