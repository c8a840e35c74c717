"""Unknown people of several cameras, made up: each camera has its own runs, folders and numbers."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest
from numpy.typing import NDArray

from app.fleet.journeys import Seen
from app.fleet.likeness import Met, joined, met_on_machine, of_machines
from app.fleet.travelling import of_unknown
from checkpoints.sealed import UNSEALED, Seal, keys_of, new_key
from pipeline.gallery.sightings import Sighting
from pipeline.gallery.unknowns import Shot, Unknowns
from pipeline.outlets.stored import written

DIM = 32
NEAR = 0.5
START = datetime(2026, 1, 1, 12, tzinfo=timezone.utc)


def at(minute: float) -> str:
    return written(START + timedelta(minutes=minute))


def faces(person: int, count: int, seed: int, likeness: float = 0.8) -> NDArray[np.float32]:
    """Unit rows whose cosine with the person's own direction is about the root of `likeness`."""
    own = np.random.default_rng(person).normal(size=DIM)
    other = np.random.default_rng(1000 + seed).normal(size=(count, DIM))
    rows = np.sqrt(likeness) * own / np.linalg.norm(own) + np.sqrt(1 - likeness) * (
        other / np.linalg.norm(other, axis=1, keepdims=True)
    )
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def met(camera: str, person: int, first: float, last: float | None = None, *, space: str = "s", seed: int = 0) -> Met:
    rows = faces(person, 3, seed=sum(map(ord, camera)) + round(7 * first) + 31 * seed)
    until = first if last is None else last
    return Met(
        f"{camera}/u{person}{first:g}", space, rows, np.full(3, 0.8, np.float32), (Seen(camera, at(first), at(until)),)
    )


def ids(found: list[tuple[Met, ...]]) -> list[set[str]]:
    return [{one.id for one in people} for people in found]


def test_one_person_in_front_of_three_cameras_is_one_and_goes_one_way() -> None:
    people = [met("hall", 1, 3), met("door", 1, 0), met("yard", 1, 6), met("door", 2, 1), met("yard", 3, 2)]
    found = of_unknown(people, NEAR)
    assert sorted(tuple(journey.cameras) for journey in found) == [("door",), ("door", "hall", "yard"), ("yard",)]
    assert found[0].who == "door/u10"  # as the camera calls the face that saw it first


def test_nobody_is_in_front_of_one_camera_twice_at_once() -> None:
    twins = [met("door", 1, 0, 2), met("door", 1, 1, 3, seed=1)]
    assert len(joined(twins, NEAR)) == 2
    later = [met("door", 1, 0, 2), met("door", 1, 3, 4, seed=1)]
    assert len(joined(later, NEAR)) == 1


def test_twins_are_not_joined_by_a_third_look() -> None:
    twins = [met("door", 1, 0, 2), met("door", 1, 1, 3, seed=1), met("hall", 1, 5)]
    assert sorted(len(people) for people in joined(twins, NEAR)) == [1, 2]


def test_who_is_near_to_two_shows_that_they_are_one() -> None:
    """Two looks that are far from each other, and one between them."""
    a, b = np.eye(DIM, dtype=np.float32)[:2]
    between = ((a + b) / np.sqrt(2)).astype(np.float32)
    people = [
        Met(name, "s", row[None], np.ones(1, np.float32), (Seen(name, at(minute), at(minute)),))
        for name, row, minute in (("door", a, 0), ("hall", b, 1), ("yard", between, 2))
    ]
    assert len(joined(people[:2], NEAR)) == 2
    assert ids(joined(people, NEAR)) == [{"door", "hall", "yard"}]


def test_spaces_are_not_compared() -> None:
    assert len(joined([met("door", 1, 0), met("hall", 1, 1, space="other")], NEAR)) == 2


def test_what_two_machines_tell_of_the_same_folder_counts_once() -> None:
    one = met("door", 1, 0)
    assert ids(joined([one, one], NEAR)) == [{one.id}]


def test_the_order_in_which_machines_answer_does_not_matter() -> None:
    people = [met(camera, person, 10 * person + n) for n, camera in enumerate("abc") for person in range(6)]
    wanted = ids(joined(people, NEAR))
    assert len(wanted) == 6
    assert ids(joined(people[::-1], NEAR)) == wanted


def keep(folder: Path, camera: str, person: int, minute: float, seal: Seal = UNSEALED) -> None:
    store = Unknowns(folder / camera / "gallery", near=NEAR, seal=seal)
    (folder / camera / "gallery").mkdir(parents=True, exist_ok=True)
    sighting = Sighting(str(uuid4()), "", camera, f"{camera}/1/1", at(minute), at(minute + 1))
    shots = [Shot(row, at(minute), 0.8, None) for row in faces(person, 2, seed=int(minute))]
    store.keep(sighting, shots, "s")
    store.close()


@pytest.mark.parametrize("since", [-10.0, 5.0])
@pytest.mark.parametrize("seal", [UNSEALED, Seal(keys_of(new_key()))], ids=["open", "sealed"])
def test_what_the_runs_of_a_machine_kept_is_found(tmp_path: Path, since: float, seal: Seal) -> None:
    keep(tmp_path, "door", 1, 0, seal)
    keep(tmp_path, "hall", 1, 3, seal)
    keep(tmp_path, "yard", 2, 8, seal)
    (tmp_path / "new" / "gallery").mkdir(parents=True)
    found = met_on_machine(tmp_path, at(since), seal)
    if since < 0:
        assert [journey.cameras for journey in of_unknown(found, NEAR)] == [["yard"], ["door", "hall"]]
    else:
        assert [one.id.split("/")[0] for one in found] == ["yard"]


def test_two_machines_that_call_different_faces_the_same_tell_both() -> None:
    """A camera that was moved begins to number anew."""
    first, other = met("door", 1, 0), met("door", 2, 60)
    other = replace(other, id=first.id)
    one, two, three = "10.0.0.1", "10.0.0.2", "10.0.0.3"
    found = of_machines([(one, [first]), (two, [other, met("hall", 1, 3)]), (three, [first])])
    assert {one.id for one in found} == {f"{first.id}@10.0.0.1", f"{first.id}@10.0.0.2", "hall/u13"}
    assert len(joined(found, NEAR)) == 2
