"""The stage with a real gallery on disk and made-up embeddings; commands are processes that ask at its desk."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from checkpoints.errors import GalleryLocked, UserError
from engines.models import embedder_model
from engines.options import EngineOptions
from pipeline.clock import now_ns
from pipeline.config import CameraConfig, GalleryConfig, OutputConfig, RunConfig, ServerConfig
from pipeline.gallery.gallery import Health, Picture
from pipeline.gallery.opening import gallery_of, open_gallery
from pipeline.gallery.sightings import Sightings
from pipeline.gallery.unknowns import Unknowns
from pipeline.messages import FrameRef, Identities, NamedFace, TrackedFace, Tracks
from pipeline.stage import StageContext
from pipeline.stages import lookup
from pipeline.stages.lookup import Lookup

KNOWN = embedder_model(EngineOptions()).known
SPACE, DIM = KNOWN.embedding_space, KNOWN.embedding_dim or 0
BOX = np.array([20, 20, 60, 70], np.float32)
LANDMARKS = np.array([(30, 35), (50, 35), (40, 45), (33, 58), (47, 58)], np.float32)


def face_of(person: int) -> NDArray[np.float32]:
    vector = np.random.default_rng(person).normal(size=DIM).astype(np.float32)
    return (vector / np.linalg.norm(vector)).astype(np.float32)


class Frames:
    """Stands for the ring: every frame is grey, and a lease can be had for each."""

    def __init__(self) -> None:
        self.taken = 0

    def at(self, ref: FrameRef) -> Any:
        self.taken += 1
        return self

    def release(self) -> None:
        self.taken -= 1


class Running:
    """A stage that was opened, and what it said."""

    def __init__(self, folder: Path, *, live: bool = False, **gallery: Any) -> None:
        self.events = folder / "events.jsonl"
        self.said: list[str] = []
        self.complaints: list[UserError] = []
        self.frames = Frames()
        self.config = RunConfig(
            cameras=(CameraConfig("door", "demo", "demo", live=live),),
            gallery=GalleryConfig(path=folder / "gallery", **gallery),
            output=OutputConfig(events=self.events),
        )
        context = StageContext(
            stage="lookup",
            config=self.config,
            look=self.frames,  # type: ignore[arg-type]
            generation=0,
            say=self.said.append,
            promise=lambda frames: None,
            complain=self.complaints.append,
            request_stop=lambda why: None,
        )
        self.stage = Lookup(context)
        self.seq = 0

    def show(self, *persons: int | None, ended: Sequence[int] = (), **more: Any) -> tuple[NamedFace, ...]:
        """One frame: track 1, 2 … show these persons; None: a face without an embedding."""
        return self.identities(*persons, ended=ended, **more).faces

    def identities(self, *persons: int | None, ended: Sequence[int] = (), **more: Any) -> Identities:
        ref = FrameRef("door", 0, self.seq, self.seq / 25, now_ns(), self.seq, (640, 360))
        self.seq += 1
        faces = tuple(
            TrackedFace(n, BOX, LANDMARKS, 0.9, 0.8, None if person is None else face_of(person))
            for n, person in enumerate(persons, 1)
        )
        (made,) = self.stage.work([Tracks(ref, faces, tuple(ended), **more)])
        return made

    def close(self) -> None:
        self.stage.close()


@pytest.fixture(autouse=True)
def _no_ring(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookup, "image_of", lambda lease: np.full((360, 640, 3), 127, np.uint8))
    monkeypatch.setattr(lookup, "_FOLLOW_EVERY_NS", 0)
    monkeypatch.setattr(lookup, "_FOLLOW_SHARE", 0)


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    made = Running(tmp_path)
    yield made
    made.close()


def enrol(folder: Path, name: str | None, person: int) -> None:
    gallery = open_gallery(folder / "gallery", space=SPACE, dim=DIM)
    gallery.add(name, [Picture(face_of(person), f"{name} {person}", 0.9, source=f"{name}.jpg")])
    gallery.close()


class Asking:
    """A command in a process of its own, while the stage serves its desk."""

    def __init__(self, running: Running, script: str) -> None:
        import subprocess
        import sys

        self.process = subprocess.Popen(
            [sys.executable, "-c", script, str(running.config.gallery.path), SPACE, str(DIM)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=Path(__file__).resolve().parents[3],
        )
        while self.process.poll() is None:
            running.stage.idle()
        self.said = self.process.communicate()[0]
        assert self.process.returncode == 0, self.said


SCRIPT = """
import sys
from pathlib import Path
import numpy as np
from pipeline.gallery.gallery import Picture
from pipeline.gallery.opening import open_gallery
gallery = open_gallery(Path(sys.argv[1]), space=sys.argv[2], dim=int(sys.argv[3]))
vector = np.random.default_rng(7).normal(size=int(sys.argv[3])).astype(np.float32)
{do}
gallery.close()
"""


def test_a_known_face_is_named_and_it_is_told_why_once(tmp_path: Path) -> None:
    enrol(tmp_path, "Ann", 1)
    enrol(tmp_path, "Bob", 2)
    running = Running(tmp_path)
    (first,) = running.show(1)
    assert (first.name, first.state) == ("Ann", "known")
    assert first.why is not None
    assert [one[0] for one in first.why.shots[0].nearest] == ["Ann", "Bob"]
    assert first.why.runner_up == "Bob"
    (again,) = running.show(None)
    assert (again.name, again.why) == ("Ann", None)
    running.close()


def test_a_stranger_takes_the_name_away(tmp_path: Path) -> None:
    enrol(tmp_path, "Ann", 1)
    enrol(tmp_path, None, 3)
    running = Running(tmp_path)
    for _ in range(3):
        (face,) = running.show(3)
    assert (face.name, face.state) == (None, "unknown")
    running.close()
    assert not Unknowns(tmp_path / "gallery").there  # it is known to be nobody


def test_the_threshold_set_by_hand_wins(tmp_path: Path) -> None:
    enrol(tmp_path, "Ann", 1)
    running = Running(tmp_path, match_threshold=1.1)
    assert [face.state for _ in range(3) for face in running.show(1)][-1] == "unknown"
    running.close()


def test_who_is_enrolled_meanwhile_is_named_without_a_new_shot(running: Running) -> None:
    for _ in range(3):
        (face,) = running.show(7)
    assert face.state == "unknown"
    Asking(running, SCRIPT.format(do="gallery.add('Eve', [Picture(vector, 'e', 0.9)])"))
    (face,) = running.show(None)
    assert (face.name, face.state) == ("Eve", "known")


def test_who_is_deleted_meanwhile_is_not_named_any_more(tmp_path: Path) -> None:
    enrol(tmp_path, "Ann", 7)
    running = Running(tmp_path)
    running.show(7)
    assert [face.name for face in running.show(7)] == ["Ann"]
    Asking(running, SCRIPT.format(do="assert gallery.delete('Ann') == 1"))
    assert [face.name for face in running.show(None)] == [None]
    running.close()


NAME_FACE = """
import sys
from pathlib import Path
from checkpoints.errors import UserError
from pipeline.gallery.desk_client import ask_desk
desk = ask_desk(Path(sys.argv[1]))
for camera, track, name in {faces}:
    try:
        print(desk.name_face(camera, track, name))
    except UserError as error:
        print(type(error).__name__, error.what, error.saw)
desk.close()
"""


def test_a_face_in_sight_is_given_a_name_with_its_cut_outs(running: Running, tmp_path: Path) -> None:
    for _ in range(3):
        running.show(5)
    asked = Asking(running, NAME_FACE.format(faces=[("door", 1, "Eve")]))
    assert asked.said == "1\n"  # the three were the very same
    (face,) = running.show(None)
    assert (face.name, face.state) == ("Eve", "known")
    running.show(ended=[1])
    running.close()
    assert Unknowns(tmp_path / "gallery").clusters() == []
    gallery = open_gallery(tmp_path / "gallery", space=SPACE, dim=DIM)
    pictures = [kept.picture for kept in gallery.kept(["Eve"])]
    gallery.close()
    assert all(one.cutout is not None and one.source == "door #1" for one in pictures)
    running.stage = Running(tmp_path).stage  # for the fixture to close


def test_where_unknown_faces_are_not_kept_a_name_can_be_given_too(tmp_path: Path) -> None:
    running = Running(tmp_path, unknown_days=0)
    for _ in range(3):
        running.show(5)
    assert Asking(running, NAME_FACE.format(faces=[("door", 1, "Eve")])).said == "1\n"  # the three were the very same
    assert [face.name for face in running.show(None)] == ["Eve"]
    running.close()


def test_who_was_just_forgotten_is_given_a_name_and_a_picture_again(tmp_path: Path) -> None:
    enrol(tmp_path, "Ann", 7)
    running = Running(tmp_path)
    for _ in range(3):
        assert running.show(7)[0].name == "Ann"
    Asking(running, SCRIPT.format(do="assert gallery.delete('Ann') == 1"))
    assert [face.name for face in running.show(None)] == [None]
    assert Asking(running, NAME_FACE.format(faces=[("door", 1, "Ann B")])).said == "1\n"
    running.close()
    gallery = open_gallery(tmp_path / "gallery", space=SPACE, dim=DIM)
    assert [kept.picture.cutout is not None for kept in gallery.kept(["Ann B"])] == [True]
    gallery.close()
    assert running.frames.taken == 0


def test_why_a_face_in_sight_is_given_no_name(tmp_path: Path) -> None:
    enrol(tmp_path, "Ann", 1)
    enrol(tmp_path, None, 3)
    running = Running(tmp_path)
    for _ in range(3):
        running.show(1, 3, 5)
    wrong = [("door", 1, "Bob"), ("door", 2, "Bob"), ("door", 9, "Bob"), ("attic", 1, "Bob"), ("door", 3, "a/b")]
    said = Asking(running, NAME_FACE.format(faces=wrong)).said.splitlines()
    assert [line.split()[0] for line in said] == ["GalleryError"] * 2 + ["EnrolmentError"] * 3
    assert "is Ann (cosine 1.00)" in said[0]
    assert "one of the strangers" in said[1]
    assert "out of sight" in said[2] and "out of sight" in said[3]
    assert "cannot be the name" in said[4]
    running.close()


def test_it_is_the_holder_or_it_does_not_run(running: Running, tmp_path: Path) -> None:
    with pytest.raises(GalleryLocked):
        Running(tmp_path)
    with pytest.raises(GalleryLocked):
        gallery_of(running.config.gallery, space=SPACE, dim=DIM, share=False)


def test_unknown_faces_are_kept_cut_out_of_their_frames(running: Running, tmp_path: Path) -> None:
    running.show(5, 6)
    running.show(5, 6)
    running.show(None, ended=[2])
    running.show(ended=[1])
    running.close()
    store = Unknowns(tmp_path / "gallery")
    clusters = store.clusters()
    assert len(clusters) == 2
    assert {face.landmarks is not None for cluster in clusters for face in cluster.faces} == {True}
    assert all(one.cutout is not None for cluster in clusters for one in store.pictures(cluster))
    assert {one.event for one in Sightings(tmp_path / "gallery").all()} == {"door/0/1", "door/0/2"}
    assert running.frames.taken == 0
    running.stage = Running(tmp_path).stage  # for the fixture to close


def test_with_no_days_no_frame_is_looked_at(tmp_path: Path) -> None:
    running = Running(tmp_path, unknown_days=0)
    running.frames.at = None  # type: ignore[assignment,method-assign]
    for _ in range(3):
        running.show(5)
    running.close()
    assert not (tmp_path / "gallery" / "unknowns").exists()
    assert not (tmp_path / "gallery" / "sightings.jsonl").exists()


def test_known_faces_are_not_kept(tmp_path: Path) -> None:
    enrol(tmp_path, "Ann", 1)
    running = Running(tmp_path)
    for _ in range(3):
        running.show(1)
    running.close()
    assert not Unknowns(tmp_path / "gallery").there


def test_expected_faces_have_their_names_and_no_votes(tmp_path: Path) -> None:
    enrol(tmp_path, "Ann", 1)
    running = Running(tmp_path)
    running.show(1)
    hidden = TrackedFace(1, BOX, LANDMARKS, 0.0, 0.0, None)
    made = running.identities(expected=(hidden,))
    assert made.faces == ()
    assert [(face.name, face.votes, face.why) for face in made.expected] == [("Ann", 1, None)]
    running.close()


def test_a_revived_face_has_the_votes_of_both_ids(running: Running) -> None:
    (_, newer) = running.show(None, 5)
    assert newer.state == "undecided"
    (older,) = running.show(5, revived=((2, 1),), ended=[2])
    assert (older.state, older.votes) == ("unknown", 2)


def test_tracks_that_nobody_ends_are_forgotten(running: Running) -> None:
    running.show(5, 6)
    running.seq += 5000
    running.show(5)
    assert len(running.stage._evidence["door"]) == 1


class Away:
    """A server that goes and comes."""

    def __init__(self, gallery: Any) -> None:
        self._gallery = gallery
        self.away_s: float | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._gallery, name)

    def health(self) -> Health:
        return Health(self.away_s, waiting=3)


def test_a_server_that_goes_and_comes_back_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Away] = []

    def open_it(config: GalleryConfig, **how: Any) -> Away:
        made.append(Away(open_gallery(config.path, space=how["space"], dim=how["dim"])))
        return made[0]

    monkeypatch.setattr(lookup, "gallery_of", open_it)
    running = Running(tmp_path, server=ServerConfig("http://nowhere"))
    for away_s in (None, 2.0, 3.0, None):
        made[0].away_s = away_s
        running.stage.idle()
    running.close()
    told = [json.loads(line) for line in running.events.read_text().splitlines()]
    assert [(event["type"], event["state"], event["waiting"]) for event in told] == [
        ("gallery", "away", 3),
        ("gallery", "back", 3),
    ]
    assert len(running.said) == 2


def test_a_disk_that_cannot_keep_unknown_faces_is_told_and_recognition_goes_on(tmp_path: Path) -> None:
    enrol(tmp_path, "Ann", 1)
    running = Running(tmp_path)
    (tmp_path / "gallery" / "unknowns").write_text("in the way")
    running.show(5, 1)
    running.show(5, 1)
    running.show(None, None, ended=[1])
    running.stage._unknowns._keeper.close()
    running.show(1)
    assert len(running.complaints) == 1
    assert "Traceback" not in str(running.complaints[0])
    running.show(1)
    assert len(running.complaints) == 1
    running.close()


def test_unknown_faces_are_kept_again_when_the_disk_takes_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    enrol(tmp_path, "Ann", 1)
    running = Running(tmp_path, live=True)
    (tmp_path / "gallery" / "unknowns").write_text("in the way")
    running.show(5)
    running.show(5)
    running.show(None, ended=[1])
    running.stage._unknowns._keeper.close()
    running.show(1)
    assert len(running.complaints) == 1
    (tmp_path / "gallery" / "unknowns").unlink()
    monkeypatch.setattr(running.stage._keep_again, "_due_ns", 0)
    running.stage.idle()
    running.show(6)
    running.show(6)
    running.show(None, ended=[1])
    running.close()
    assert len(running.complaints) == 1
    assert len(Unknowns(tmp_path / "gallery", near=0.4).clusters()) == 1
