from __future__ import annotations

from pathlib import Path

import pytest

from app.archive.indexing import index
from app.archive.recordings import Origin, Part, Recording
from app.archive.sources import find
from app.archive.watching import Eyes
from checkpoints.errors import ArchiveError
from engines.options import EngineOptions
from tests.app.archive.deadly_watcher import DeadlyWatcher
from tests.app.archive.memory_shelf import MemoryShelf
from tests.app.archive.painted_crew import Noted, PaintedCrew

pytest.importorskip("ray", reason="the extra [fleet] is not installed")
pytestmark = pytest.mark.filterwarnings("ignore")  # Ray's own
from app.archive.crew import Crew  # noqa: E402

EYES = Eyes(EngineOptions())


def recording(camera: str, length_s: float = 4.0) -> Recording:
    return Recording(f"/{camera}.mp4", 9, 1, f"{camera:f<64}", camera, 0.0, 0.0, length_s)


def test_parts_come_back_from_ray_as_they_would_from_here_and_who_dies_takes_nobody_along(tmp_path: Path) -> None:
    """One Ray for all: starting it takes longer than what it does here."""
    (tmp_path / "no.mp4").write_bytes(b"no video")
    cameras = ("deadly", "spoilt", "private")
    others = [part for camera in cameras for part in recording(camera).parts()]
    parts: list[Part] = [*recording("door", 1000.0).parts(), *others]
    with Crew(EYES, address=None, workers=2, watching=DeadlyWatcher) as crew:
        (told,) = crew.surveyed([(find([str(tmp_path)]).files[0], Origin("no", None))])
        came = {outcome.part: outcome for outcome in crew.watched(parts)}
        progress = Noted()
        shelf = MemoryShelf()
        tally = index(find([str(tmp_path)]).files, shelf, crew, progress)
    assert told.recording is None
    assert "cannot be opened" in told.why
    for part in parts:
        if part.recording.camera == "deadly":
            assert part.id not in came
        elif part.recording.camera == "spoilt":
            assert came[part.id].points is None
            assert "cannot be decoded" in came[part.id].why
        elif part.recording.camera == "private":
            assert came[part.id].why == "What is written here is closed by 77"
        else:
            points = came[part.id].points
            assert points is not None
            assert [(one.id, one.payload) for one in points] == [
                (one.id, one.payload) for one in PaintedCrew.points(part)
            ]
    assert list(tally.failed) == [str(tmp_path / "no.mp4")]
    assert shelf.kept == {}


@pytest.mark.parametrize("address", ["127.0.0.1:1", "nonsense", "127.0.0.1:99999"])
def test_a_cluster_that_is_not_there_is_told_at_once(address: str) -> None:
    with Crew(EYES, address=address, workers=1) as crew, pytest.raises(ArchiveError) as caught:
        list(crew.watched(recording("door").parts()))
    assert address in (caught.value.saw or "")
