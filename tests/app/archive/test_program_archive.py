"""The whole of it: recordings are indexed by the program, somebody is found in them, and a killed run goes on."""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from checkpoints.portrait import PATH as PORTRAIT
from checkpoints.portrait import portrait
from pipeline.film import VideoWriter


def film(path: Path, *, seconds: int, shown: tuple[int, int], left: int = 100) -> Path:
    """A grey wall; from one second to another somebody stands in front of it. left: pixels, so that contents differ"""
    wall_bgr = np.full((360, 640, 3), 90, np.uint8)
    face_bgr = wall_bgr.copy()
    face_bgr[30:330, left : left + 300] = cv2.resize(portrait(), (300, 300), interpolation=cv2.INTER_AREA)
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = VideoWriter(path, (640, 360), 10)
    for index in range(seconds * 10):
        writer.write(face_bgr if shown[0] <= index / 10 < shown[1] else wall_bgr, index / 10)
    writer.close()
    return path


def test_somebody_is_found_where_and_when_the_recordings_show_them(program: Any, tmp_path: Path) -> None:
    pytest.importorskip("ray", reason="the extra [fleet] is not installed")
    all_of_them = tmp_path / "all"
    film(all_of_them / "door" / "2026-01-31T12-00-00Z.mp4", seconds=6, shown=(2, 5))
    film(all_of_them / "hall_20260131_130000Z.mp4", seconds=4, shown=(0, 4), left=200)
    film(all_of_them / "yard_20260131_140000Z.mp4", seconds=2, shown=(9, 9))
    (all_of_them / "broken.mp4").write_bytes(b"no video")
    killed = program.start("index", all_of_them)
    line = next(line for line in killed.stdout if "broken.mp4" in line)  # it is at work
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    assert "cannot be opened" in line

    ended = program.run("index", all_of_them)
    assert ended.code == 1, ended.said  # for the broken one
    assert "4 recordings" in ended.said
    assert "1 could not be used" in ended.said
    # Ray's agents look for their dead server for another minute, and end then.
    assert [left for left in program.still_running(killed) if "Agent" not in left] == []
    (all_of_them / "broken.mp4").unlink()
    again = program.run("index", all_of_them)
    assert again.code == 0, again.said
    assert "3 known before" in again.said
    assert "0 new sightings" in again.said

    found = program.run("find", PORTRAIT, "--json", tmp_path / "found.json", "--export", tmp_path / "faces")
    assert found.code == 0, found.said
    said = json.loads((tmp_path / "found.json").read_text())
    assert sorted(one["camera"] for one in said["sightings"]) == ["door", "hall"]
    door = next(one for one in said["sightings"] if one["camera"] == "door")
    assert door["from"].startswith("2026-01-31T12:00:02")
    assert 1.8 < door["from_s"] < 2.6 < 4.5 < door["to_s"] < 5.1
    assert cv2.imread(str(tmp_path / "faces" / door["picture"])) is not None
    narrowed = program.run("find", PORTRAIT, "--since", "2026-01-31T12:30:00Z", "--json", "-")
    assert [one["camera"] for one in json.loads(narrowed.said)["sightings"]] == ["hall"]
    nobody = program.run("find", PORTRAIT, "--camera", "yard")
    assert nobody.code == 1
    assert "Nobody like that" in nobody.said


@contextmanager
def first_machine(program: Any, port: int) -> Iterator[None]:
    """Of a cluster, as a person starts it. Workers of Ray end when the rest of it is gone."""
    node = program.start("fleet", "node", "--head", "--port", port, "--cpus", 1)
    try:
        said = iter(node.stdout)
        assert any("Ray runtime started" in line for line in said)
        threading.Thread(target=list, args=(said,), daemon=True).start()  # so that it is not stopped by what it says
        yield
    finally:
        os.killpg(node.pid, signal.SIGKILL)
        node.wait()


def test_a_cluster_that_asks_for_its_key_does_the_work(program: Any, tmp_path: Path) -> None:
    pytest.importorskip("ray", reason="the extra [fleet] is not installed")
    (tmp_path / "all").mkdir()
    (tmp_path / "all" / "broken.mp4").write_bytes(b"no video")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with first_machine(program, port):
        ended = program.run("index", tmp_path / "all", "--address", f"127.0.0.1:{port}")
        assert "broken.mp4: The file cannot be opened" in ended.said, ended.said
        assert "1 recordings: 0 known before, 1 could not be used" in ended.said


def test_without_the_extra_one_sentence_says_what_to_install(program: Any, tmp_path: Path) -> None:
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    (hidden / "sitecustomize.py").write_text(
        "import sys, importlib.machinery\n"
        "plain = importlib.machinery.PathFinder\n"
        "class Hiding:\n"
        "    @staticmethod\n"
        "    def find_spec(name, path=None, target=None):\n"
        "        hidden = name in ('ray', 'pyarrow', 'pandas')\n"
        "        return None if hidden else plain.find_spec(name, path, target)\n"
        "sys.meta_path = [Hiding if one is plain else one for one in sys.meta_path]\n"
    )
    ended = program.run("index", tmp_path, PYTHONPATH=str(hidden))
    assert ended.code == 2
    assert ended.said.startswith("index needs the extra fleet, which pip install -e '.[fleet]' brings.")


def test_nothing_to_find_in_is_told(program: Any) -> None:
    ended = program.run("find", PORTRAIT)
    assert ended.code == 2
    assert "Nothing was indexed yet" in ended.said
