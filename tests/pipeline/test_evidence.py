from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.evidence import SHOWN_SHOTS, STALE_FRAMES, Evidence, Look
from pipeline.gallery.gallery import Match
from tracker.vote import VoteSettings

SETTINGS = VoteSettings(threshold=0.5)
ANN, BOB = Match("Ann", 0.9, "a"), Match("Bob", 0.3, "b")


def look(frame: int = 0, quality: float = 0.8) -> Look:
    return Look(np.ones(4, np.float32), quality, frame)


def with_ann(track: int = 1) -> Evidence:
    evidence = Evidence(SETTINGS)
    for frame in (0, 2):
        evidence.add(track, look(frame), [ANN, BOB])
    return evidence


def name(evidence: Evidence, track: int = 1, frame: int = 2) -> str | None:
    return evidence.verdicts([track], frame)[track].name


def test_why_is_told_once_for_each_verdict() -> None:
    evidence = with_ann()
    verdict = evidence.verdicts([1], 2)[1]
    why = evidence.why(1, verdict)
    assert why is not None
    assert [shot.frame for shot in why.shots] == [0, 2]
    assert why.shots[0].nearest == (("Ann", 0.9, "a"), ("Bob", 0.3, "b"))
    assert (why.runner_up, why.threshold, why.by_stranger) == ("Bob", 0.5, False)
    assert evidence.why(1, verdict) is None


def test_nothing_is_told_of_a_face_without_a_shot() -> None:
    evidence = Evidence(SETTINGS)
    assert evidence.why(1, evidence.verdicts([1], 0)[1]) is None


def test_only_the_clearest_shots_are_shown_in_the_order_of_the_frames() -> None:
    evidence = Evidence(SETTINGS)
    for frame, quality in enumerate([0.9, 0.1, 0.8, 0.7, 0.2, 0.6, 0.5]):
        evidence.add(1, look(frame, quality), [ANN])
    why = evidence.why(1, evidence.verdicts([1], 7)[1])
    assert why is not None
    assert [shot.frame for shot in why.shots] == [0, 2, 3, 5, 6]
    assert len(why.shots) == SHOWN_SHOTS


def test_a_gallery_that_changed_is_heeded_without_a_new_shot() -> None:
    evidence = with_ann()
    assert name(evidence) == "Ann"
    asked: list[int] = []

    def match(rows: NDArray[np.float32]) -> list[list[Match]]:
        asked.append(len(rows))
        return [[BOB] for _ in rows]

    evidence.judge_anew(SETTINGS, match)
    assert asked == [2]
    assert evidence.verdicts([1], 3)[1].state == "unknown"
    evidence.judge_anew(SETTINGS, lambda rows: [[ANN] for _ in rows])
    assert name(evidence) == "Ann"


def test_another_threshold_counts_at_once() -> None:
    evidence = with_ann()
    evidence.judge_anew(VoteSettings(threshold=0.95), lambda rows: [[ANN] for _ in rows])
    assert name(evidence) is None


def test_two_tracks_of_one_face_count_together() -> None:
    evidence = Evidence(SETTINGS)
    evidence.add(1, look(0), [ANN, BOB])
    evidence.add(9, look(50), [ANN, BOB])
    assert evidence.verdicts([9], 50)[9].votes == 1
    evidence.revive(9, 1, lambda rows: [[ANN, BOB] for _ in rows])
    assert evidence.verdicts([1], 51)[1].votes == 2
    assert len(evidence) == 1
    evidence.revive(77, 1, lambda rows: [])  # one that nobody has heard of
    assert len(evidence) == 1


def test_what_has_ended_is_forgotten() -> None:
    evidence = with_ann()
    evidence.forget([1])
    assert len(evidence) == 0
    assert name(evidence) is None


def test_tracks_that_nobody_ended_do_not_stay_for_ever() -> None:
    evidence = with_ann()
    evidence.verdicts([1, 2], 10)
    evidence.verdicts([2], 10 + STALE_FRAMES + 1)
    assert evidence.stale(10 + STALE_FRAMES) == []
    assert evidence.stale(10 + STALE_FRAMES + 1) == [1]
