from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app import why
from app.commands import main
from checkpoints.errors import GalleryError
from pipeline.event_log import EventLog
from pipeline.gallery.gallery import Kept, Picture
from pipeline.gallery.opening import open_gallery

ANN = "00000000-0000-4000-8000-000000000001"


def event(frame: int, state: str = "known", name: str | None = "Ann", **more: Any) -> dict[str, Any]:
    return {
        "type": "identity",
        "camera": "door",
        "frame": frame,
        "t": "2026-01-01T12:00:00.000Z",
        "track": 7,
        "name": name,
        "state": state,
        "score": 0.83,
        "margin": 0.5,
        "votes": 3,
        "id": f"door/{frame}/7",
        **more,
    }


WHY = {
    "threshold": 0.4,
    "margin": 0.05,
    "runner_up": "Bob",
    "shots": [
        {"frame": 1, "quality": 0.75, "nearest": [["Ann", 0.84, ANN], ["Bob", 0.31, "gone"], [None, 0.2, "s"]]},
        {"frame": 3, "quality": 0.6, "nearest": []},
    ],
}


@pytest.fixture
def events(tmp_path: Path) -> Path:
    log = EventLog(tmp_path / "e.jsonl")
    log.append({"type": "camera", "camera": "door", "state": "up"})
    log.append(event(3, why=WHY))
    log.append(event(28))
    log.append({"type": "end"})
    log.append(event(3, "undecided", None))
    log.close()
    gallery = open_gallery(tmp_path / "gallery", space="s", dim=4)
    embedding = np.eye(4, dtype=np.float32)[0]
    gallery.restore([Kept(ANN, "Ann", "2026-01-01T00:00:00.000Z", Picture(embedding, "h", 0.5, source="ann1.jpg"))])
    gallery.close()
    return tmp_path / "e.jsonl"


def run(events: Path, *words: str) -> int:
    gallery = str(events.parent / "gallery")
    return main(["gallery", "why", *words, "--events", str(events), "--gallery", gallery])


def test_the_evidence_is_told_in_words(events: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(events, "2") == 0
    text = capsys.readouterr().out
    assert text.startswith("door/3/7: Ann  (camera door, frame 3")
    assert "Ann has 3 votes" in text and "the runner-up is Bob" in text and "a name needs 0.40" in text
    assert "Ann 0.84 (ann1.jpg), Bob 0.31 (a picture that is erased), a stranger 0.20" in text
    assert "quality 0.60   nobody to compare with" in text


def test_a_later_event_rests_on_what_was_told_before(events: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(events, "door/28/7") == 0
    assert "as told when it was decided (door/3/7)" in capsys.readouterr().out


def test_an_id_of_several_runs_means_the_last_and_evidence_stays_within_a_run(
    events: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(events, "door/3/7") == 0
    text = capsys.readouterr().out
    assert "undecided" in text and "no evidence" in text


def test_for_programs(events: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(events, "3", "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert said["why"] == WHY
    assert said["of_event"] == "door/3/7"
    assert said["sources"] == {ANN: "ann1.jpg"}


@pytest.mark.parametrize(
    ("state", "more", "words"),
    [
        ("unknown", {}, "like nobody, by 3 votes"),
        ("unknown", {"stranger": True}, "among the strangers"),
        ("undecided", {}, "not enough evidence"),
    ],
)
def test_that_there_is_no_name_has_reasons_too(state: str, more: dict[str, Any], words: str) -> None:
    told = event(1, state, None, why={**WHY, **more})
    assert words in "\n".join(why.in_words(told, told, {}))


@pytest.mark.parametrize("wanted", ["99", "door/1/1", "1"])
def test_what_is_no_event_of_a_face_is_told(events: Path, wanted: str) -> None:
    with pytest.raises(GalleryError, match="no such event|no face"):
        why.find(why._events(events), wanted, events)


def test_without_a_file_it_is_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("EVENTS", raising=False)
    assert main(["gallery", "why", "1"]) == 2
    assert "--events FILE" in capsys.readouterr().err
    assert main(["gallery", "why", "1", "--events", str(tmp_path / "none")]) == 2
    assert "cannot be read" in capsys.readouterr().err


def test_an_event_is_found_in_an_older_part_of_the_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "e.jsonl"
    for frame in (1, 2):
        log = EventLog(path, part_bytes=1)
        log.append(event(frame))
        log.close()
    assert main(["gallery", "why", "door/1/7", "--events", str(path)]) == 0
    assert "frame 1," in capsys.readouterr().out
    assert main(["gallery", "why", "1", "--events", str(path)]) == 0
    assert "frame 2," in capsys.readouterr().out
