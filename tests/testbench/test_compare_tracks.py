from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from testbench import compare, compare_tracks, peer_track
from testbench.synthetic_tracks import Scene

KINDS = {"one": Scene(frames=40), "two": Scene(frames=30, faces=3)}
# What the real peer would be, as far as the script sees it: every detection has the track of its rank in its frame.
PEER = """
class Detections:
    def __init__(self, xyxy, confidence, class_id, data):
        self.data, self.tracker_id = data, None
    def __len__(self):
        return len(self.data["row"])
class ByteTrack:
    def __init__(self, **options):
        if options.pop("refuses", False):
            raise TypeError("no such option")
    def update_with_detections(self, seen):
        import numpy as np
        seen.tracker_id = np.arange(len(seen))
        return seen
"""


@pytest.fixture(autouse=True)
def peer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package `supervision` that this Python finds."""
    package = tmp_path / "peer"
    package.mkdir()
    (package / "supervision.py").write_text(PEER)
    info = package / "supervision-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: supervision\nVersion: 1.2\n")
    monkeypatch.setenv("PYTHONPATH", str(package))
    monkeypatch.setattr(compare_tracks, "KINDS", KINDS)


def _compare(*more: str) -> int:
    words = ["--peer", "supervision", "--peer-python", sys.executable, "--seeds", "2", "--turns", "1"]
    return compare.main(["track", *words, *more])


def test_both_do_the_same_work(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _compare("--json", str(tmp_path / "out.json")) == 0
    found = json.loads((tmp_path / "out.json").read_text())
    assert {"ours_ms", "peer_ms", "ratio", "same_work"} <= found.keys()
    assert "supervision 1.2" in found["same_work"]
    assert set(found["kinds"]) == {"one", "two"}
    assert found["ours_idf1"] > found["peer_idf1"] > 0, "ranks are not ids"
    assert json.loads(capsys.readouterr().out) == found


def test_each_scene_begins_anew() -> None:
    frames = [list(compare_tracks.play(scene)) for scene in KINDS.values()]
    scenes = {"one": [frames[0]], "again": [frames[0]]}
    ids = compare_tracks.our_turn(scenes).ids
    np.testing.assert_array_equal(*np.split(ids, 2))
    by_kind = compare_tracks.idf1_by_kind(scenes, ids)
    assert by_kind["one"] == by_kind["again"]


def test_perfect_ids_are_scored_so() -> None:
    frames = list(compare_tracks.play(Scene(frames=40, jitter=0.0, miss=0.0, false_boxes=0.0)))
    owners = np.concatenate([frame.owners for frame in frames])
    assert compare_tracks.idf1_by_kind({"one": [frames]}, owners)["one"] == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--peer-options", '{"refuses": true}'], "no such option"),
        (["--peer-python", "/nowhere/python"], "cannot be started"),
        (["--peer", "trackers"], "did not finish"),
    ],
)
def test_a_peer_that_does_not_run_ends_with_2(more: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert _compare(*more) == 2
    assert said in capsys.readouterr().err


def test_the_script_knows_the_peers_that_can_be_asked_for() -> None:
    assert set(peer_track.PEERS) == {"supervision", "trackers"}
