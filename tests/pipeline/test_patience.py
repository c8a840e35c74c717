from __future__ import annotations

import random

import pytest

from pipeline.config import CameraConfig, CaptureConfig, RunConfig, SuperviseConfig
from pipeline.patience import Past, backoff_s, patience_of
from pipeline.wiring import SideRow, processes

S = 1_000_000_000
CONFIG = SuperviseConfig(max_restarts=5, restart_window_s=60, rest_s=30, longest_rest_s=300)


def die(past: Past, at_s: float, lived_s: float = 5.0) -> tuple[str, float]:
    sentence = past.died(int(at_s * S), lived_s=lived_s, worked=True)
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
    sentences = [past.died(n * S, lived_s=5, worked=True) for n in range(6)]
    assert [s.kind for s in sentences] == ["again"] * 5 + ["given up"]
    assert sentences[-1].why == "for the 6th time in 60 s; giving up"


def test_lives_that_are_short_are_followed_by_pauses_that_double() -> None:
    past = Past("file", SuperviseConfig(max_restarts=100))
    pauses = [past.died(n, lived_s=0.1, worked=False).pause_s for n in range(7)]
    assert pauses == pytest.approx([0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0])
    assert past.died(8, lived_s=3, worked=True).pause_s == 0


def test_a_camera_is_tried_for_ever_and_ever_more_slowly() -> None:
    past = Past("camera", SuperviseConfig(max_restarts=1), random.Random(1))
    sentences = [past.died(n, lived_s=0.1, worked=False) for n in range(2000)]
    assert {s.kind for s in sentences} == {"again"}
    for tries, sentence in enumerate(sentences[:20], 1):
        middle_s = min(30, 2 ** (tries - 1))
        assert 0.75 * middle_s <= sentence.pause_s <= 1.25 * middle_s
    assert len({s.pause_s for s in sentences}) > 1900, "cameras of one network do not all come at once"


def test_a_camera_that_gave_a_picture_is_tried_soon() -> None:
    past = Past("camera", CONFIG)
    for n in range(10):
        past.died(n, lived_s=0.1, worked=False)
    assert past.died(11, lived_s=100, worked=True).pause_s <= 1.25
    assert past.died(12, lived_s=0.1, worked=False).pause_s >= 1.5


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
