from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from checkpoints.errors import GalleryError, SealError
from pipeline.gallery.gallery import Cutout
from pipeline.gallery.sightings import Sightings
from pipeline.gallery.unknown_tracks import STAY_S, TELL_EVERY_S, Keeper, UnknownTracks
from pipeline.gallery.unknowns import Shot, Unknowns
from pipeline.hours import Hours

TRACK = ("door", 7)
TIMES = [f"2026-01-01T12:00:{second:02}.000Z" for second in range(60)]


def made(tmp_path: Path, days: float = 30.0) -> UnknownTracks:
    return UnknownTracks(tmp_path, near=0.8, space="s", days=days)


def shot(second: int = 0, quality: float = 0.8) -> Shot:
    embedding = np.array([1, second / 100], np.float32)
    embedding /= np.linalg.norm(embedding)
    return Shot(embedding, TIMES[second], quality, Cutout(b"jpeg", np.zeros((5, 2), np.float32)))


def see(tracks: UnknownTracks, state: str, *seconds: int) -> None:
    for second in seconds:
        if tracks.wants(TRACK, 0.8):
            tracks.add(TRACK, "door/1/7", second, shot(second))
        tracks.judged(TRACK, state, second, TIMES[second])


def test_a_track_that_ends_unknown_is_kept_with_its_times(tmp_path: Path) -> None:
    tracks = made(tmp_path)
    see(tracks, "undecided", 3)
    see(tracks, "unknown", 4)
    tracks.end([TRACK])
    tracks.close()
    (cluster,) = Unknowns(tmp_path).clusters()
    assert len(cluster.faces) == 2
    (sighting,) = cluster.sightings
    assert (sighting.first, sighting.last, sighting.camera, sighting.event) == (TIMES[3], TIMES[4], "door", "door/1/7")


@pytest.mark.parametrize("state", ["undecided", "somebody"])
def test_who_is_not_known_to_be_unknown_is_not_kept(tmp_path: Path, state: str) -> None:
    tracks = made(tmp_path)
    see(tracks, state, 0, 1)
    tracks.end([TRACK])
    tracks.close()
    assert not list(tmp_path.iterdir())


def test_who_stays_is_kept_before_the_end_and_told_of_at_the_end(tmp_path: Path) -> None:
    tracks = made(tmp_path)
    see(tracks, "unknown", *range(int(STAY_S) + 2))
    tracks._keeper.close()  # as if it were killed now
    (before,) = Unknowns(tmp_path).clusters()
    assert len(before.faces) == 3


def test_the_end_of_a_run_keeps_what_is_still_seen(tmp_path: Path) -> None:
    tracks = made(tmp_path)
    see(tracks, "unknown", 0, 1, 30, 50)
    tracks.close()
    (cluster,) = Unknowns(tmp_path).clusters()
    assert (cluster.sightings[0].last, len(cluster.faces)) == (TIMES[50], 3)


def test_who_becomes_known_after_all_is_forgotten(tmp_path: Path) -> None:
    tracks = made(tmp_path)
    see(tracks, "unknown", *range(int(STAY_S) + 2))
    see(tracks, "somebody", 10)
    tracks.close()
    assert Unknowns(tmp_path).clusters() == []
    assert Sightings(tmp_path).all() == []


def test_only_clear_shots_and_better_ones_are_wanted(tmp_path: Path) -> None:
    tracks = made(tmp_path)
    assert not tracks.wants(TRACK, 0.2)
    for quality in (0.4, 0.5, 0.6):
        assert tracks.wants(TRACK, quality)
        tracks.add(TRACK, "e", 0, shot(quality=quality))
    assert not tracks.wants(TRACK, 0.42)
    assert tracks.wants(TRACK, 0.5)
    tracks.add(TRACK, "e", 0, shot(quality=0.9))
    tracks.judged(TRACK, "unknown", 0, TIMES[0])
    tracks.close()
    (cluster,) = Unknowns(tmp_path).clusters()
    assert [round(face.quality, 2) for face in cluster.faces] == [0.9, 0.6, 0.5]


def test_the_best_shots_of_a_face_in_sight_are_at_hand_whether_they_are_on_disk_or_not(tmp_path: Path) -> None:
    tracks = made(tmp_path)
    for second, quality in ((0, 0.5), (1, 0.6), (3, 0.7), (4, 0.9)):
        tracks.add(TRACK, "e", second, shot(quality=quality))
        tracks.judged(TRACK, "unknown", second, TIMES[second])
    assert [one.quality for one in tracks.shots(TRACK)] == [0.9, 0.7, 0.6]
    assert tracks.shots(("door", 8)) == []
    tracks.close()


def test_who_stays_for_long_is_told_again_now_and_then(tmp_path: Path) -> None:
    tracks = made(tmp_path)
    for _ in range(3):
        tracks.add(TRACK, "e", 0, shot())
    for second in range(0, int(3 * TELL_EVERY_S), 5):
        tracks.judged(TRACK, "unknown", second, TIMES[0])
    tracks.close()
    lines = (tmp_path / "sightings.jsonl").read_text().splitlines()
    assert len(lines) == 4  # when it has stayed, twice on the way, at the end
    assert len(Sightings(tmp_path).all()) == 1


def test_with_no_days_nothing_is_written_and_what_was_is_erased(tmp_path: Path) -> None:
    tracks = made(tmp_path)
    see(tracks, "unknown", 0, 1, 2, 3)
    tracks.close()
    assert Unknowns(tmp_path).there
    never = made(tmp_path, days=0)
    never.tick()
    see(never, "unknown", 0, 1, 2, 3)
    never.close()
    assert Unknowns(tmp_path).clusters() == []
    assert not (tmp_path / "unknowns").exists()


def test_nothing_is_made_where_nobody_was_unknown(tmp_path: Path) -> None:
    tracks = made(tmp_path)
    tracks.tick()
    tracks.close()
    assert not list(tmp_path.iterdir())


def test_a_clock_that_leaps_erases_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tracks = made(tmp_path)
    see(tracks, "unknown", 0, 1, 2, 3)
    tracks.close()
    wall_s = mono_s = 1000.0
    expired_at: list[float] = []
    monkeypatch.setattr(Unknowns, "expire", lambda _store, _days: expired_at.append(wall_s))
    hours = Hours(wall_s=lambda: wall_s, clock_ns=lambda: int(mono_s * 1e9))
    tracks = UnknownTracks(tmp_path, near=0.8, space="s", days=30.0, hours=hours)
    mono_s, wall_s = mono_s + 4000, wall_s + 4000 + 400 * 86_400.0
    tracks.tick()
    mono_s, wall_s = mono_s + 86_000, wall_s + 86_000
    tracks.tick()
    mono_s, wall_s = mono_s + 400, wall_s + 400
    tracks.tick()
    tracks.close()
    assert expired_at == [wall_s], "a leap that is true counts after a day"


def test_a_disk_that_fails_is_told_once_and_the_run_goes_on(tmp_path: Path) -> None:
    (tmp_path / "unknowns").write_text("in the way")
    tracks = made(tmp_path)
    see(tracks, "unknown", 0, 1, 2, 3)
    tracks._keeper.close()
    with pytest.raises(GalleryError, match="Unknown faces cannot be kept"):
        tracks.tick()
    tracks.give_up()
    assert not tracks.wants(TRACK, 0.9)
    tracks.tick()
    tracks.close()


class Told(Exception):
    """A mistake in the program, say."""


def fails(error: Exception) -> Callable[[Unknowns], object]:
    def job(_store: Unknowns) -> object:
        raise error

    return job


@pytest.mark.parametrize("error", [Told(), OSError("a disk that is gone"), ValueError("a line that cannot be")])
def test_what_ends_the_keeper_is_raised_whenever_it_is_asked(tmp_path: Path, error: Exception) -> None:
    keeper = Keeper(lambda: Unknowns(tmp_path))
    keeper.give(fails(error))
    keeper.give(lambda _store: pytest.fail("it has ended"))
    keeper.close()
    for _ in range(2):
        with pytest.raises(type(error)):
            keeper.check()
    keeper.close()


def test_unknown_faces_under_another_key_are_told_like_a_disk_that_fails(tmp_path: Path) -> None:
    done = threading.Event()
    keeper = Keeper(lambda: Unknowns(tmp_path))
    keeper.give(fails(SealError("The key is another one.")))
    keeper.give(lambda _store: done.set())
    assert done.wait(30), "the next job is done all the same"
    with pytest.raises(GalleryError, match="another one"):
        keeper.check()
    keeper.check()
    keeper.close()
