from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.archive.recordings import File, Origin, Part, Recording
from app.archive.sighting import PART, SIGHTING, Point
from app.archive.surveying import survey
from app.archive.watching import Eyes, Watcher
from checkpoints.errors import SourceError
from engines.options import EngineOptions
from tests.app.archive.test_program_archive import film
from tests.app.conftest import MODELS


@pytest.fixture(scope="module")
def watcher() -> Iterator[Watcher]:
    if not (MODELS / "sface.onnx").exists():
        pytest.skip("the models are not here: python -m checkpoints.fetch brings them")
    made = Watcher(Eyes(EngineOptions(precision="fp32", models=MODELS, cache=MODELS.parent / "engines")))
    yield made
    made.close()


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """Six seconds; from the second to the fifth somebody is there."""
    path = film(tmp_path_factory.mktemp("film") / "a.mp4", seconds=6, shown=(2, 5))
    said = path.stat()
    return survey(File(str(path), "all/a.mp4", said.st_size, said.st_mtime_ns), Origin("door", 1000.0))


def kinds(points: list[Point]) -> list[str]:
    return [point.payload["kind"] for point in points]


def test_a_recording_is_known_by_reading_it(recording: Recording) -> None:
    assert recording.length_s == pytest.approx(6, abs=0.2)
    assert (recording.camera, recording.started_utc, len(recording.sha256)) == ("door", 1000.0, 64)


def test_a_file_whose_name_tells_no_time_began_before_it_was_written(recording: Recording) -> None:
    file = File(recording.file, "all/a.mp4", recording.size, 5_000 * 10**9)
    assert survey(file, Origin("door", None)).started_utc == pytest.approx(5_000 - recording.length_s)


def test_who_is_seen_is_one_sighting_with_its_time(watcher: Watcher, recording: Recording) -> None:
    (part,) = recording.parts()
    points = watcher.watch(part)
    assert kinds(points) == [SIGHTING, PART]
    seen, marker = points
    assert seen.payload["from_s"] == pytest.approx(2.0, abs=0.35)
    assert seen.payload["to_s"] == pytest.approx(4.9, abs=0.2)
    assert seen.payload["first"] == "1970-01-01T00:16:42" + seen.payload["first"][19:]
    assert seen.vector is not None
    assert np.linalg.norm(seen.vector) == pytest.approx(1, abs=1e-5)
    left, top, right, bottom = seen.payload["box"]
    assert 0.15 < left < right < 0.65
    assert 0 <= top < bottom <= 1
    assert (marker.id, marker.payload["frames"], marker.vector) == (part.id, 60, None)


def test_the_same_part_gives_the_same_whatever_was_watched_before(watcher: Watcher, recording: Recording) -> None:
    (part,) = recording.parts()
    first, again = watcher.watch(part), watcher.watch(part)
    for one, other in zip(first, again, strict=True):
        assert (one.id, one.payload) == (other.id, other.payload)
        assert (one.vector is None) == (other.vector is None)
        assert one.vector is None or other.vector is None or one.vector.tobytes() == other.vector.tobytes()


def test_every_frame_is_in_one_part_and_a_seam_makes_two_sightings(watcher: Watcher, recording: Recording) -> None:
    parts = [Part(recording, 0.0, 1.5), Part(recording, 1.5, 3.5), Part(recording, 3.5, None)]
    watched = [watcher.watch(part) for part in parts]
    assert [points[-1].payload["frames"] for points in watched] == [15, 20, 25]
    assert [kinds(points) for points in watched] == [[PART], [SIGHTING, PART], [SIGHTING, PART]]
    assert watched[2][0].payload["from_s"] == pytest.approx(3.5, abs=0.35)


def test_bytes_from_elsewhere_are_as_good_as_a_file(watcher: Watcher, recording: Recording) -> None:
    elsewhere = replace(recording, file="s3://bucket/a.mp4")
    with Path(recording.file).open("rb") as content:
        points = watcher.watch(elsewhere.parts()[0], content)
    assert [point.id for point in points] == [point.id for point in watcher.watch(recording.parts()[0])]


def test_what_is_no_video_is_told(watcher: Watcher, recording: Recording, tmp_path: Path) -> None:
    (tmp_path / "no.mp4").write_bytes(b"no video")
    with pytest.raises(SourceError):
        watcher.watch(replace(recording, file=str(tmp_path / "no.mp4")).parts()[0])
    with pytest.raises(SourceError):
        survey(File(str(tmp_path / "gone.mp4"), "a/gone.mp4", 1, 1), Origin("door", None))
