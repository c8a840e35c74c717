"""The whole program, from outside."""

from __future__ import annotations

import json
import os
import select
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from checkpoints.portrait import PATH as PORTRAIT
from checkpoints.portrait import PERSON
from pipeline.config import CameraConfig
from pipeline.video import VideoReader

Events = list[dict[str, Any]]
ReadEvents = Callable[[Path], Events]
STAGES = ["capture", "detect", "align", "recognise", "lookup", "draw"]


def test_the_demo_is_recognised_and_everything_is_written(
    program: Any, tmp_path: Path, read_events: ReadEvents
) -> None:
    events, report, trace, record = (tmp_path / n for n in ("e.jsonl", "r.json", "t.json", "o.mp4"))
    outputs = ["--events", events, "--report", report, "--trace", trace, "--record", record]
    ended = program.run("--source", "demo", "--frames", 60, *outputs)
    assert ended.code == 0, ended.said
    assert f"recognised: {PERSON}" in ended.said

    told = read_events(events)
    assert PERSON in {e["name"] for e in told if e["type"] == "identity"}
    assert told[-1]["type"] == "end"
    assert (told[-1]["frames"], told[-1]["captured"]) == (60, {"demo": 60})

    figures = json.loads(report.read_text())
    assert figures["frames"] == 60
    assert set(figures["latency_ms"]) == {"total", *STAGES}
    assert set(figures["dropped"].values()) == {0}
    assert {e["name"] for e in json.loads(trace.read_text())["traceEvents"] if e["ph"] == "X"} == {
        f"frame {n}" for n in range(60)
    }
    reader = VideoReader(CameraConfig("r", str(record), str(record)))
    assert len(list(reader.frames())) == 60
    reader.close()


def without_times(events: Events) -> Events:
    moving = ("t", "fps", "latency_ms")
    return [{k: v for k, v in e.items() if k not in moving} for e in events]


def test_two_lossless_runs_give_the_same_events_however_they_are_placed(
    program: Any, tmp_path: Path, read_events: ReadEvents
) -> None:
    told = []
    for name, placement in (("a", "split"), ("b", "split"), ("c", "fused")):
        path = tmp_path / f"{name}.jsonl"
        program.run("--source", "demo", "--frames", 50, "--events", path, "--placement", placement)
        told.append(without_times(read_events(path)))
    assert len(told[0]) > 2
    assert told[0] == told[1] == told[2]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_in_order(
    program: Any, tmp_path: Path, read_events: ReadEvents, number: signal.Signals
) -> None:
    events = tmp_path / "e.jsonl"
    running = program.start("--source", "demo", "--realtime", 25, "--events", events)
    wait_for(running, PERSON)
    os.killpg(running.pid, number)  # as a terminal does: to all of them
    said, _ = running.communicate(timeout=60)
    assert running.returncode == 0, said
    assert "Traceback" not in said
    assert program.still_running(running) == []
    told = read_events(events)
    assert told[-1]["type"] == "end"
    assert told[-1]["restarts"] == {}


def test_children_leave_when_their_parent_is_killed(program: Any) -> None:
    running = program.start("--source", "demo", "--realtime", 25)
    wait_for(running, PERSON)
    children = [int(pid) for pid in Path(f"/proc/{running.pid}/task/{running.pid}/children").read_text().split()]
    assert len(children) >= len(STAGES)
    handles = [os.pidfd_open(pid) for pid in children]
    running.kill()
    for handle in handles:
        assert select.select([handle], [], [], 30)[0], "a child is still there"
        os.close(handle)


def wait_for(running: Any, text: str) -> None:
    for line in running.stdout:
        if text in line:
            return
    raise AssertionError(f"it ended without saying {text}")


BAD = {
    "a missing file": (["--source", "none.mp4"], {}, "does not exist"),
    "a folder": (["--source", "."], {}, "folder"),
    "a text file": (["--source", "notes.mp4"], {}, "cannot be opened"),
    "no such camera": (["--source", "63"], {}, "camera"),
    "nobody answers": (["--source", "http://127.0.0.1:9/stream"], {}, "nobody listens there"),
    "events that cannot be written": (["--events", "no/such/e.jsonl"], {}, "Events cannot be written"),
    "a recording that cannot be written": (["--record", "no/such/o.mp4"], {}, "output cannot be written"),
    "a report that cannot be written": (["--report", "no/such/r.json"], {}, "--report no/such/r.json"),
    "a settings typo": ([], {"VIDEO_SORCE": "0"}, "did you mean VIDEO_SOURCE"),
    "a port out of range": ([], {"QDRANT_PORT": "70000"}, "QDRANT_PORT"),
    "an unknown embedder": (["--embedder", "nobody"], {}, "nobody"),
    "a flag that does not exist": (["--evnts", "e.jsonl"], {}, "--events"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_told_clearly(program: Any, tmp_path: Path, case: str) -> None:
    arguments, environment, message = BAD[case]
    (tmp_path / "notes.mp4").write_text("dear diary\n" * 50)
    arguments = [str(tmp_path / a) if a in ("none.mp4", ".", "notes.mp4") else a for a in arguments]
    ended = program.run("--frames", 5, *arguments, **environment)
    assert ended.code == 2, ended.said
    assert message in ended.said
    assert "saw:" in ended.said


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_ends_the_recording_and_nothing_else(program: Any, tmp_path: Path, read_events: ReadEvents) -> None:
    record, events = tmp_path / "full.mp4", tmp_path / "e.jsonl"
    record.symlink_to("/dev/full")
    ended = program.run("--source", "demo", "--frames", 60, "--record", record, "--events", events)
    assert ended.code == 1, ended.said
    assert "No space left" in ended.said
    told = read_events(events)
    assert told[-1]["frames"] == 60
    assert PERSON in {e.get("name") for e in told}


@pytest.fixture
def clip(program: Any, tmp_path: Path) -> Path:
    """The demo as a file, so that its person is not known."""
    path = tmp_path / "clip.mp4"
    assert program.run("--source", "demo", "--frames", 60, "--record", path).code == 0
    return path


def until_written(running: Any, path: Path, text: str) -> None:
    """Looks again each time the program says something, and now and then."""
    while not (path.exists() and text in path.read_text()):
        assert running.poll() is None, "it ended before"
        select.select([running.stdout], [], [], 0.1)


def stop(running: Any) -> None:
    os.killpg(running.pid, signal.SIGINT)
    running.communicate(timeout=60)
    assert running.returncode == 0


def test_people_are_enrolled_renamed_and_deleted_while_the_program_runs(
    program: Any, clip: Path, tmp_path: Path, read_events: ReadEvents
) -> None:
    events = tmp_path / "e.jsonl"
    running = program.start("--source", clip, "--loop", "--realtime", 25, "--events", events)
    until_written(running, events, "unknown")
    enrolled = program.run("enroll", "Eileen", PORTRAIT)
    assert enrolled.code == 0, enrolled.said
    wait_for(running, "clip: Eileen")
    assert "Eileen" in program.run("gallery", "list").said
    assert program.run("gallery", "backup", tmp_path / "backups").code == 0
    assert program.run("gallery", "rename", "Eileen", "Dr Collins").code == 0
    wait_for(running, "clip: Dr Collins")
    erased = program.run("gallery", "delete", "Dr Collins", "--events", events)
    assert erased.code == 0, erased.said
    assert "1 pictures with their embeddings, 1 cut-outs" in erased.said
    assert "is enrolled" in program.run("gallery", "list").said
    stop(running)
    told = [event for event in read_events(events) if event["type"] == "identity"]
    assert told[-1]["name"] is None
    # What was on its way when the person was deleted may have been told later still.
    program.run("gallery", "delete", "Dr Collins", "--events", events)
    assert b"Dr Collins" not in events.read_bytes()


def test_an_unknown_person_gets_a_name_and_it_can_be_told_why(
    program: Any, clip: Path, tmp_path: Path, read_events: ReadEvents
) -> None:
    events = tmp_path / "e.jsonl"
    assert program.run("--source", clip, "--events", events).code == 0
    assert "unknown" in {e.get("state") for e in read_events(events)}
    (cluster,) = json.loads(program.run("unknowns", "list", "--json").said)
    assert cluster["cameras"] == ["clip"]
    assert program.run("unknowns", "promote", cluster["cluster"], "Eileen").code == 0
    assert "seen before the name was known: 1 times" in program.run("gallery", "show", "Eileen").said

    ended = program.run("--source", clip, "--events", events)
    assert "recognised: Eileen" in ended.said
    assert json.loads(program.run("unknowns", "list", "--json").said) == []
    known = next(e for e in read_events(events) if e.get("name") == "Eileen")
    told = program.run("gallery", "why", known["id"], "--events", events)
    assert "Eileen has" in told.said and "a name needs" in told.said and "clip/" in told.said

    assert "1 sightings" in program.run("gallery", "delete", "Eileen", "--events", events).said
    assert b"Eileen" not in events.read_bytes()


def test_nothing_is_kept_of_unknown_people_who_are_not_to_be_kept(program: Any, clip: Path) -> None:
    assert program.run("--source", clip, UNKNOWN_RETENTION_DAYS="0").code == 0
    gallery = program.data / "gallery"
    assert not (gallery / "unknowns").exists()
    assert not (gallery / "sightings.jsonl").exists()


def test_who_was_reported_as_enrolled_is_there_after_a_kill(program: Any, tmp_path: Path) -> None:
    names = [f"Person {number:02}" for number in range(40)]
    for name in names:
        (tmp_path / "people" / name).mkdir(parents=True)
        (tmp_path / "people" / name / "1.jpg").write_bytes(PORTRAIT.read_bytes())
    running = program.start("enroll", tmp_path / "people", "--even-if-known")
    wait_for(running, "Person 02: 1 of 1")
    running.kill()
    reported = set(names[:3]) | {line.split(":")[0] for line in running.stdout if line.startswith("Person")}
    listed = {one["name"] for one in json.loads(program.run("gallery", "list", "--json").said)}
    assert reported <= listed
    again = program.run("enroll", tmp_path / "people", "--even-if-known")
    assert again.code == 0, again.said
    assert len(json.loads(program.run("gallery", "list", "--json").said)) == 40


def test_two_programs_cannot_share_a_gallery(program: Any, clip: Path) -> None:
    assert program.run("enroll", "Eileen", PORTRAIT).code == 0
    running = program.start("--source", clip, "--loop", "--realtime", 25)
    wait_for(running, "clip: Eileen")
    refused = program.run("--source", clip)
    assert refused.code == 2, refused.said
    assert "process " in refused.said
    stop(running)


def test_a_video_that_was_cut_off_is_used_as_far_as_it_goes(
    program: Any, tmp_path: Path, read_events: ReadEvents
) -> None:
    clip, cut, events = tmp_path / "clip.mp4", tmp_path / "cut.mp4", tmp_path / "e.jsonl"
    assert program.run("--source", "demo", "--frames", 60, "--record", clip).code == 0
    cut.write_bytes(clip.read_bytes()[: clip.stat().st_size * 2 // 3])
    ended = program.run("--source", cut, "--events", events)
    assert ended.code == 0, ended.said
    assert "is damaged" in ended.said
    assert 0 < read_events(events)[-1]["frames"] < 60


def test_a_damaged_engine_cache_is_made_anew(program: Any, tmp_path: Path) -> None:
    (program.data / "engines").unlink()
    assert program.run("--source", "demo", "--frames", 3).code == 0
    kept = [path for path in (program.data / "engines").rglob("*") if path.is_file()]
    assert kept
    for path in kept:
        path.write_bytes(path.read_bytes()[:100])
    ended = program.run("--source", "demo", "--frames", 30)
    assert ended.code == 0, ended.said
    assert f"recognised: {PERSON}" in ended.said
    assert "cache" in ended.said


@pytest.mark.skipif("DISPLAY" not in os.environ, reason="needs a screen: run it under xvfb-run")
def test_the_window_shows_the_frames_and_the_run_ends(program: Any) -> None:
    ended = program.run("--source", "demo", "--frames", 30, "--display", "window", DISPLAY=os.environ["DISPLAY"])
    assert ended.code == 0, ended.said
    assert f"recognised: {PERSON}" in ended.said
    assert "frames, " in ended.said
