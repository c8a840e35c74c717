from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.archive import exporting
from app.archive.finding import Found, find, moment, threshold, wanted
from app.archive.shelf import EVERYTHING, Hit, Wanted
from app.archive.sighting import point_of
from app.settings import Settings
from checkpoints.errors import OutputError, SettingsError
from checkpoints.manifest import Manifest
from engines.models import embedder_model
from engines.options import EngineOptions
from tests.app.archive.memory_shelf import MemoryShelf
from tests.app.archive.test_sighting import sighting


@pytest.fixture
def sface() -> Manifest:
    return embedder_model(EngineOptions()).known


def test_the_more_there_is_to_compare_the_more_alike_a_face_has_to_be(sface: Manifest) -> None:
    needed = [threshold(sface, comparisons, 0.1) for comparisons in (1, 100, 10_000, 1_000_000)]
    assert needed == sorted(needed)
    assert needed[1] == pytest.approx(0.3716, abs=1e-3)  # one of a thousand strangers: the manifest's own figure
    assert threshold(sface, 1_000_000, 100.0) == pytest.approx(0.4278, abs=1e-3)


def test_an_embedder_that_was_not_measured_has_the_threshold_of_its_manifest(sface: Manifest) -> None:
    assert threshold(replace(sface, impostors=None), 1000, 0.1) == sface.match_threshold


def test_a_sighting_is_listed_once_with_the_photograph_that_is_most_like_it() -> None:
    shelf = MemoryShelf()
    shelf.put([point_of(sighting(number)) for number in range(5)])
    faces = np.stack([sighting(2).embedding, sighting(3).embedding, sighting(2).embedding])
    chosen = Settings()
    found = find(shelf, faces, EVERYTHING, chosen, limit=10)
    ids = [hit.sighting.id for hit in found.hits]
    assert len(ids) == len(set(ids))
    assert set(ids[:2]) == {sighting(2).id, sighting(3).id}
    assert [hit.score for hit in found.hits][:2] == pytest.approx([1, 1], abs=1e-5)
    assert found.among == 5
    known = embedder_model(EngineOptions()).known
    assert found.threshold == threshold(known, 5 * len(faces), chosen.archive.false_sightings)
    assert len(find(shelf, faces, EVERYTHING, chosen, limit=1).hits) == 1


def test_nothing_is_found_on_an_empty_shelf() -> None:
    shelf = MemoryShelf()
    assert find(shelf, sighting().embedding[None], EVERYTHING, Settings(), limit=5).hits == ()


@pytest.mark.parametrize(
    ("text", "end", "utc"),
    [
        ("2026-01-31T12:00:00Z", False, "2026-01-31T12:00:00.000Z"),
        ("2026-01-31 12:00:30+02:00", False, "2026-01-31T10:00:30.000Z"),
    ],
)
def test_times_are_read_as_people_write_them(text: str, end: bool, utc: str) -> None:
    assert moment(text, "--since", end=end) == utc


def test_a_day_begins_with_its_first_moment_and_ends_with_its_last() -> None:
    first, last = moment("2026-01-31", "--since"), moment("2026-01-31", "--until", end=True)
    assert first < last
    assert (first[-10:], last[-10:]) == ("00:00.000Z", "59:59.999Z")
    assert moment("2026-01-31 12:00", "--until", end=True) == moment("2026-01-31 12:00", "--since")


def test_what_is_no_time_is_told_with_its_flag() -> None:
    with pytest.raises(SettingsError) as caught:
        wanted([], "yesterday", None)
    assert caught.value.saw == "--since yesterday"


def test_cameras_and_times_are_handed_on() -> None:
    assert wanted(["door"], None, "2026-01-31T12:00:00Z") == Wanted(("door",), None, "2026-01-31T12:00:00.000Z")


FOUND = Found((Hit(sighting(0), 0.91), Hit(sighting(1, camera="hall"), 0.5)), threshold=0.4, among=30)


def test_the_table_tells_when_where_and_how_alike() -> None:
    said = exporting.told(FOUND)
    assert "2026-01-01 12:00:00" in said
    assert "0:00:01-0:00:10" in said
    assert "2 of 30 sightings, by 2 cameras" in said
    assert "0.40" in exporting.told(Found((), 0.4, 30))


def test_an_export_has_a_face_for_each_line(tmp_path: Path) -> None:
    exporting.export(FOUND, tmp_path / "out")
    said = json.loads((tmp_path / "out" / "sightings.json").read_text(encoding="utf-8"))
    with (tmp_path / "out" / "sightings.csv").open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    assert [one["camera"] for one in said["sightings"]] == [line["camera"] for line in lines] == ["door", "hall"]
    for one in said["sightings"]:
        assert (tmp_path / "out" / one["picture"]).read_bytes() == sighting().cutout.jpeg


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError):
        exporting.export(FOUND, tmp_path / "file")
