from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from checkpoints.errors import GalleryError
from pipeline.gallery.sightings import Sighting, Sightings

ONE = Sighting("1", "u1", "door", "door/1/1", "2026-01-01T10:00:00.000Z", "2026-01-01T10:00:05.000Z")
TWO = Sighting("2", "u2", "door", "door/9/2", "2026-01-02T10:00:00.000Z", "2026-01-02T10:00:05.000Z")


@pytest.fixture
def sightings(tmp_path: Path) -> Sightings:
    made = Sightings(tmp_path)
    made.tell(TWO)
    made.tell(ONE)
    return made


def test_they_come_by_time_and_the_last_word_counts(sightings: Sightings) -> None:
    later = replace(ONE, last="2026-01-01T10:09:00.000Z")
    sightings.tell(later)
    assert sightings.all() == [later, TWO]


def test_a_cluster_s_become_a_person_s_and_follow_the_name(sightings: Sightings) -> None:
    assert sightings.give("u1", "Ann") == 1
    assert sightings.of("Ann") == [replace(ONE, name="Ann")]
    assert sightings.give("u1", "Bob") == 0  # they are Ann's
    assert sightings.rename("Ann", "Ann Lee") == 1
    assert sightings.erase(lambda one: one.name == "Ann Lee") == 1
    assert sightings.all() == [TWO]


def test_nothing_is_written_for_nothing(tmp_path: Path) -> None:
    assert Sightings(tmp_path).all() == []
    assert Sightings(tmp_path).erase(lambda one: True) == 0
    assert not list(tmp_path.iterdir())


def test_damaged_lines_cost_only_themselves(sightings: Sightings, tmp_path: Path) -> None:
    with (tmp_path / "sightings.jsonl").open("ab") as file:
        file.write(b'{"id": "3"}\n[]\nnonsense\n{"id"')
    assert sightings.all() == [ONE, TWO]
    sightings.tell(replace(ONE, id="4"))
    assert len(sightings.all()) == 3


def test_what_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(GalleryError, match="sightings"):
        Sightings(tmp_path / "none").tell(ONE)
