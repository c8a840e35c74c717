from __future__ import annotations

from tracker.ballot import Likeness
from tracker.vote import Ballots, VoteSettings

SETTINGS = VoteSettings(threshold=0.36, margin=0.05)

ALICE = [Likeness("Alice", 0.45), Likeness("Bob", 0.1)]
ALICE_STRONG = [Likeness("Alice", 0.6), Likeness("Bob", 0.1)]
BOB = [Likeness("Bob", 0.45), Likeness("Alice", 0.1)]


def _names(ballots: Ballots, *tracks: int) -> list[str | None]:
    verdicts = ballots.verdicts(tracks)
    return [verdicts[track].name for track in tracks]


def test_one_name_stands_on_one_face_of_a_frame() -> None:
    ballots = Ballots(SETTINGS)
    for _ in range(2):
        ballots.add(1, ALICE, 0.8)
        ballots.add(2, ALICE_STRONG, 0.8)
        ballots.add(3, BOB, 0.8)
    verdicts = ballots.verdicts([1, 2, 3])
    assert [(verdicts[t].state, verdicts[t].name) for t in (1, 2, 3)] == [
        ("undecided", None),
        ("known", "Alice"),
        ("known", "Bob"),
    ]
    assert ballots.verdicts([1, 3])[1].name == "Alice", "when the other is out of the picture it may be her"


def test_with_equal_evidence_the_older_track_keeps_the_name() -> None:
    ballots = Ballots(SETTINGS)
    for track in (9, 4):
        for _ in range(2):
            ballots.add(track, ALICE, 0.8)
    assert {track: verdict.name for track, verdict in ballots.verdicts([9, 4]).items()} == {9: None, 4: "Alice"}


def test_a_track_without_a_shot_is_undecided() -> None:
    assert Ballots(SETTINGS).verdicts([3])[3].state == "undecided"


def test_ended_tracks_are_forgotten() -> None:
    ballots = Ballots(SETTINGS)
    ballots.add(1, ALICE_STRONG, 0.8)
    ballots.forget([1, 2])
    assert ballots.verdicts([1])[1].state == "undecided"


def test_a_face_that_holds_a_name_keeps_it_against_one_that_is_as_like() -> None:
    """The newcomer's track is the older one and its evidence a little better: neither is enough."""
    ballots = Ballots(SETTINGS)
    for _ in range(2):
        ballots.add(7, ALICE, 0.8)
    assert _names(ballots, 3, 7) == [None, "Alice"]
    for _ in range(2):
        ballots.add(3, [Likeness("Alice", 0.48), Likeness("Bob", 0.1)], 0.8)
    assert _names(ballots, 3, 7) == [None, "Alice"]


def test_a_name_goes_over_to_clearly_better_evidence_and_never_within_one_frame() -> None:
    ballots = Ballots(SETTINGS)
    for _ in range(2):
        ballots.add(7, ALICE, 0.8)
    assert _names(ballots, 3, 7) == [None, "Alice"]
    for _ in range(2):
        ballots.add(3, ALICE_STRONG, 0.8)
    assert [_names(ballots, 3, 7) for _ in range(3)] == [[None, None], ["Alice", None], ["Alice", None]]


def test_a_name_that_one_face_loses_is_not_on_another_in_the_same_frame() -> None:
    ballots = Ballots(SETTINGS)
    for _ in range(2):
        ballots.add(7, ALICE, 0.4)
        ballots.add(3, ALICE, 0.4)
    assert _names(ballots, 7) == ["Alice"]
    for _ in range(6):
        ballots.add(7, BOB, 0.9)
    assert [_names(ballots, 3, 7) for _ in range(2)] == [[None, "Bob"], ["Alice", "Bob"]]


def test_somebody_who_comes_back_does_not_take_the_name_from_whom_it_is_on_now() -> None:
    ballots = Ballots(SETTINGS)
    for track in (1, 2):
        for _ in range(2):
            ballots.add(track, ALICE, 0.8)
    assert _names(ballots, 1) == ["Alice"]
    assert _names(ballots, 2) == ["Alice"]
    assert _names(ballots, 1, 2) == [None, "Alice"]


def test_a_name_is_free_when_its_track_has_ended() -> None:
    ballots = Ballots(SETTINGS)
    for track in (1, 2):
        for _ in range(2):
            ballots.add(track, ALICE, 0.8)
    assert _names(ballots, 2, 1) == [None, "Alice"]
    ballots.forget([1])
    assert _names(ballots, 2) == ["Alice"]


def test_the_shots_of_a_track_can_be_asked_for() -> None:
    ballots = Ballots(SETTINGS)
    ballots.add(1, ALICE, 0.8, frame=5)
    assert [(shot.frame, shot.best[0].name) for shot in ballots.shots(1)] == [(5, "Alice")]
    assert ballots.shots(2) == ()


def test_another_threshold_counts_for_all_tracks() -> None:
    ballots = Ballots(SETTINGS)
    for _ in range(2):
        ballots.add(1, ALICE, 0.8)
    ballots.settings = VoteSettings(threshold=0.5)
    assert ballots.verdicts([1])[1].state == "unknown"
