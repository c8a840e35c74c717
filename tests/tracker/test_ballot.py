from __future__ import annotations

import numpy as np
import pytest

from tracker.ballot import Ballot, Likeness, Verdict, VoteSettings

SETTINGS = VoteSettings(threshold=0.36, margin=0.05)
Matches = list[Likeness]


def _likenesses(*scored: tuple[str | None, float]) -> Matches:
    return [Likeness(name, score, f"{name}-1") for name, score in scored]


ALICE = _likenesses(("Alice", 0.45), ("Bob", 0.1))
ALICE_STRONG = _likenesses(("Alice", 0.6), ("Bob", 0.1))
BOB = _likenesses(("Bob", 0.45), ("Alice", 0.1))
STRANGER = _likenesses(("Carol", 0.2), ("Alice", 0.15))
TWINS = _likenesses(("Alice", 0.5), ("Alicia", 0.48))
ALONE, UNLIKE = _likenesses(("Alice", 0.5)), _likenesses(("Alice", 0.1))


def _verdict(*shots: tuple[Matches, float]) -> Verdict:
    ballot = Ballot(SETTINGS)
    for matches, quality in shots:
        ballot.add(matches, quality)
    return ballot.verdict()


def _said(*shots: tuple[Matches, float]) -> tuple[str, str | None]:
    verdict = _verdict(*shots)
    return verdict.state, verdict.name


def test_no_shot_is_no_verdict() -> None:
    assert _verdict() == Verdict("undecided", None, 0.0, 0.0, 0)


def test_two_looks_that_agree_give_a_name() -> None:
    assert _said((ALICE, 0.8)) == ("undecided", None)
    verdict = _verdict((ALICE, 0.8), (ALICE, 0.8))
    assert (verdict.state, verdict.name, verdict.votes) == ("known", "Alice", 2)
    assert (verdict.score, verdict.margin) == (pytest.approx(0.45), pytest.approx(0.35))


def test_one_look_without_doubt_is_enough_if_it_is_clear() -> None:
    assert _said((ALICE_STRONG, 0.8)) == ("known", "Alice")
    assert _said((ALICE_STRONG, 0.1)) == ("undecided", None)


def test_a_stranger_is_unknown_after_two_looks() -> None:
    assert _said((STRANGER, 0.8)) == ("undecided", None)
    verdict = _verdict((STRANGER, 0.8), (STRANGER, 0.8))
    assert (verdict.state, verdict.name, verdict.score, verdict.votes) == ("unknown", None, pytest.approx(0.2), 2)


def test_names_too_close_to_tell_stay_undecided() -> None:
    assert _said(*[(TWINS, 0.9)] * 6) == ("undecided", None)


def test_looks_that_contradict_each_other_stay_undecided() -> None:
    assert _said((ALICE, 0.8), (BOB, 0.8)) == ("undecided", None)
    assert _said((ALICE, 0.8), (STRANGER, 0.8)) == ("undecided", None)


def test_a_clear_look_outweighs_poor_ones() -> None:
    assert _said((BOB, 0.1), (BOB, 0.1), (ALICE_STRONG, 0.9)) == ("known", "Alice")


def test_a_name_is_taken_back_when_better_evidence_contradicts_it() -> None:
    ballot, said = Ballot(SETTINGS), []
    for matches, quality in [(ALICE, 0.4)] * 3 + [(BOB, 0.6)] * 3:
        ballot.add(matches, quality)
        said.append((ballot.verdict().state, ballot.verdict().name))
    assert said[2] == ("known", "Alice")
    assert said[3:] == [("undecided", None), ("undecided", None), ("known", "Bob")]


def test_one_poor_look_does_not_take_a_name_back() -> None:
    assert _said(*[(ALICE, 0.8)] * 4, (BOB, 0.1)) == ("known", "Alice")


def test_when_a_track_has_gone_over_to_another_person_the_name_follows() -> None:
    ballot = Ballot(SETTINGS)
    for _ in range(20):
        ballot.add(ALICE, 0.8)
    names = []
    for _ in range(5):
        ballot.add(BOB, 0.8)
        names.append(ballot.verdict().name)
    assert names[1] is None
    assert names[-1] == "Bob"


def test_a_name_that_no_look_puts_first_is_not_given() -> None:
    assert _said(
        (_likenesses(("Bob", 0.5), ("Alice", 0.49)), 0.8), (_likenesses(("Carol", 0.5), ("Alice", 0.49)), 0.8)
    ) == (
        "undecided",
        None,
    )


def test_one_striking_look_does_not_carry_a_name_against_the_others() -> None:
    other = _likenesses(("Carol", 0.5), ("Alice", 0.45))
    verdict = _verdict((_likenesses(("Alice", 0.9), ("Bob", 0.1)), 0.8), (other, 0.8), (other, 0.8))
    assert (verdict.state, verdict.votes) == ("undecided", 1)
    assert verdict.score > SETTINGS.threshold
    assert verdict.margin > SETTINGS.margin


def test_a_gallery_of_one() -> None:
    assert _said((ALONE, 0.8), (ALONE, 0.8)) == ("known", "Alice")
    assert _said((UNLIKE, 0.8), (UNLIKE, 0.8)) == ("unknown", None)


def test_an_empty_gallery_knows_nobody() -> None:
    assert _said(([], 0.8)) == ("undecided", None)
    assert _said(([], 0.8), ([], 0.8)) == ("unknown", None)


def test_a_look_of_no_quality_says_nothing() -> None:
    assert _verdict((ALICE_STRONG, 0.0)) == _verdict()


@pytest.mark.parametrize("quality", [-0.1, 1.1, float("nan")])
def test_a_quality_that_is_none_is_a_mistake(quality: float) -> None:
    with pytest.raises(ValueError, match="not from 0 to 1"):
        Ballot(SETTINGS).add(ALICE, quality)


def test_strangers_seldom_get_a_name_and_people_nearly_always_theirs() -> None:
    """Cosines drawn as an embedder gives them: one person against herself, and the best two of the rest."""
    rng = np.random.default_rng(0)

    def track(is_known: bool) -> Verdict:
        ballot = Ballot(SETTINGS)
        resembles = rng.normal(0.2, 0.05)  # one stranger in the gallery always looks a little alike
        for _ in range(4):
            matches: list[tuple[str | None, float]] = [
                ("Xavier", rng.normal(resembles, 0.06)),
                ("Yvonne", rng.normal(0.15, 0.06)),
            ]
            if is_known:
                matches.append(("Alice", rng.normal(0.58, 0.1)))
            ballot.add(_likenesses(*sorted(matches, key=lambda match: -match[1])[:2]), rng.uniform(0.3, 0.9))
        return ballot.verdict()

    known, strange = [track(True) for _ in range(500)], [track(False) for _ in range(500)]
    assert sum(verdict.name == "Alice" for verdict in known) > 485
    assert sum(verdict.name in ("Xavier", "Yvonne") for verdict in known) == 0
    assert sum(verdict.name is not None for verdict in strange) <= 2


def test_a_face_most_like_a_stranger_of_the_gallery_is_unknown_never_known() -> None:
    nobody = _likenesses((None, 0.7), ("Alice", 0.55))
    verdict = _verdict((nobody, 0.8), (nobody, 0.8))
    assert (verdict.state, verdict.name, verdict.by_stranger, verdict.runner_up) == ("unknown", None, True, "Alice")
    assert _said((nobody, 0.8)) == ("undecided", None), "one look may be wrong about that, too"


def test_a_stranger_as_like_as_the_person_takes_the_name_away() -> None:
    for order in ((("Alice", 0.6), (None, 0.6)), ((None, 0.6), ("Alice", 0.6)), (("Alice", 0.6), (None, 0.56))):
        state, name = _said(*[(_likenesses(*order), 0.8)] * 4)
        assert state != "known"
        assert name is None


def test_a_stranger_who_is_far_less_like_changes_nothing() -> None:
    near = _likenesses(("Alice", 0.6), (None, 0.3))
    verdict = _verdict((near, 0.8), (near, 0.8))
    assert (verdict.state, verdict.name, verdict.runner_up) == ("known", "Alice", None)
    assert verdict.margin == pytest.approx(0.3)


def test_a_name_expires_when_better_looks_show_a_stranger() -> None:
    ballot, said = Ballot(SETTINGS), []
    for matches, quality in [(ALICE, 0.4)] * 3 + [(STRANGER, 0.7)] * 4:
        ballot.add(matches, quality)
        said.append((ballot.verdict().state, ballot.verdict().name))
    assert said[2] == ("known", "Alice")
    assert said[3] == ("undecided", None)
    assert said[-1] == ("unknown", None)


def test_what_was_seen_is_kept_to_say_why_and_no_more_of_it_than_is_needed() -> None:
    ballot = Ballot(SETTINGS)
    many = _likenesses(("Alice", 0.5), ("Bob", 0.4), ("Carol", 0.3), ("Dora", 0.2))
    for frame in range(100):
        ballot.add(many, 0.5, frame)
    shots = ballot.shots()
    assert [shot.frame for shot in shots] == list(range(88, 100))
    assert shots[-1].best == (Likeness("Alice", 0.5, "Alice-1"), Likeness("Bob", 0.4, "Bob-1"), many[2])
    assert (shots[-1].quality, ballot.verdict().runner_up) == (0.5, "Bob")


def test_another_threshold_judges_what_was_seen_before() -> None:
    ballot = Ballot(SETTINGS)
    for _ in range(2):
        ballot.add(ALICE, 0.8)
    ballot.use(VoteSettings(threshold=0.5))
    assert ballot.verdict().state == "unknown"
    ballot.use(SETTINGS)
    assert ballot.verdict().name == "Alice"
