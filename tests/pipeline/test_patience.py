from __future__ import annotations

import random

import pytest

from pipeline.config import CameraConfig, CaptureConfig, RunConfig, SuperviseConfig
from pipeline.patience import Death, Past, backoff_s, patience_of
from pipeline.wiring import SideRow, processes

S = 1_000_000_000
CONFIG = SuperviseConfig(max_restarts=5, restart_window_s=60, rest_s=30, longest_rest_s=300)


def die(past: Past, at_s: float, lived_s: float = 5.0) -> tuple[str, float]:
    sentence = past.died(int(at_s * S), Death(lived_s, worked_s=lived_s))
    return sentence.kind, sentence.pause_s


def opened(past: Past) -> float:
    """Lets it die until it rests, and tells for how long."""
    for at_s in range(5):
        assert die(past, at_s) == ("again", 0.0)
    kind, pause_s = die(past, 5)
    assert kind == "rests"
    return pause_s


def test_a_process_of_an_endless_run_rests_after_more_than_five_deaths_in_a_minute() -> None:
    assert opened(Past("live", CONFIG)) == 30


def test_deaths_that_are_far_apart_do_not_count_together() -> None:
    past = Past("live", CONFIG)
    assert {die(past, at_s * 13)[0] for at_s in range(50)} == {"again"}


def test_a_trial_that_fails_is_followed_by_a_rest_twice_as_long_up_to_five_minutes() -> None:
    past = Past("live", CONFIG)
    opened(past)
    assert [die(past, 100 + n * 400) for n in range(5)] == [("rests", s) for s in (60, 120, 240, 300, 300)]


def test_a_trial_that_lasts_closes_the_breaker() -> None:
    past = Past("live", CONFIG)
    opened(past)
    assert die(past, 200, lived_s=60) == ("again", 0.0)
    assert [die(past, 201 + n)[0] for n in range(4)] == ["again"] * 4
    assert die(past, 205) == ("rests", 30)


def test_a_process_of_a_run_of_files_is_given_up() -> None:
    past = Past("file", CONFIG)
    sentences = [past.died(n * S, Death(5)) for n in range(6)]
    assert [s.kind for s in sentences] == ["again"] * 5 + ["given up"]
    assert sentences[-1].why == "for the 6th time in 60 s; giving up"


def test_lives_that_are_short_are_followed_by_pauses_that_double() -> None:
    past = Past("file", SuperviseConfig(max_restarts=100))
    pauses = [past.died(n, Death(0.1)).pause_s for n in range(7)]
    assert pauses == pytest.approx([0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0])
    assert past.died(8, Death(3)).pause_s == 0


def test_a_camera_is_tried_for_ever_and_ever_more_slowly() -> None:
    past = Past("camera", SuperviseConfig(max_restarts=1), random.Random(1))
    sentences = [past.died(n, Death(0.1)) for n in range(2000)]
    assert {s.kind for s in sentences} == {"again"}
    for tries, sentence in enumerate(sentences[:20], 1):
        middle_s = min(30, 2 ** (tries - 1))
        assert 0.75 * middle_s <= sentence.pause_s <= 1.25 * middle_s
    assert len({s.pause_s for s in sentences}) > 1900, "cameras of one network do not all come at once"


def test_a_camera_that_gave_pictures_for_a_while_is_tried_soon() -> None:
    past = Past("camera", CONFIG)
    for n in range(10):
        past.died(n, Death(0.1))
    assert past.died(11, Death(100, worked_s=90)).pause_s <= 1.25
    assert past.died(12, Death(0.1)).pause_s >= 1.5


@pytest.mark.parametrize("death", [Death(2, worked_s=1.5), Death(20, worked_s=1.5)])
def test_a_camera_that_gives_a_picture_and_breaks_or_falls_silent_is_tried_ever_more_slowly(death: Death) -> None:
    past = Past("camera", CONFIG, random.Random(1))
    pauses = [past.died(n, death).pause_s for n in range(8)]
    assert pauses[-1] >= 20
    assert past.died(9, Death(25, worked_s=25)).pause_s >= 20, "it was waited for longer than it lasted"
    assert past.died(10, Death(40, worked_s=40)).pause_s <= 1.25


def test_a_camera_that_refuses_the_login_is_called_every_ten_minutes_in_the_end() -> None:
    past = Past("camera", CONFIG, random.Random(1))
    pauses = [past.died(n, Death(0.1, was_refused=True)).pause_s for n in range(15)]
    assert pauses[:4] == pytest.approx([1, 2, 4, 8], rel=0.25)
    assert pauses[-1] == pytest.approx(600, rel=0.25)
    assert past.died(16, Death(0.1)).pause_s <= 37.5, "it is away for another reason now"


def silent(past: Past, at_s: float) -> tuple[str, str]:
    sentence = past.died(int(at_s * S), Death(130, worked_s=5, was_silent=True))
    return sentence.kind, sentence.why


def test_a_process_that_falls_silent_three_times_in_ten_minutes_rests() -> None:
    past = Past("live", CONFIG)
    assert [silent(past, at_s)[0] for at_s in (0, 130)] == ["again", "again"]
    assert silent(past, 260) == ("rests", "silent 3 times in 600 s; it rests for 30 s")
    assert Past("file", CONFIG).died(0, Death(20, was_silent=True)).kind == "again"


def test_silences_that_are_far_apart_do_not_count_together() -> None:
    past = Past("live", CONFIG)
    assert {silent(past, at_s * 400)[0] for at_s in range(20)} == {"again"}


def test_the_pause_stays_finite_after_however_many_tries() -> None:
    assert backoff_s(100_000, 1, 30) == 30
    assert backoff_s(0, 1, 30) == 0


def test_who_has_which_patience() -> None:
    live, file = CameraConfig("door", "rtsp://door/1", "rtsp://door/1", live=True), CameraConfig("film", "a.mp4", "")
    run = RunConfig((live, file), capture=CaptureConfig(lossless=False))
    rows = processes("split", ("door", "film"))
    found = {row.name: patience_of(row, run) for row in rows}
    assert found == {
        "capture:door": "camera",
        **dict.fromkeys(("capture:film", "detect", "align", "recognise", "lookup", "draw"), "live"),
    }
    assert patience_of(SideRow("console", "m"), run) == "live"
    counted = RunConfig((live,), capture=CaptureConfig(lossless=False, frames=100))
    assert [patience_of(row, counted) for row in rows[:3]] == ["camera", "file", "file"]
    assert {patience_of(row, RunConfig((file,))) for row in rows[1:]} == {"file"}
