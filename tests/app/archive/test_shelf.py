from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from app.archive.shelf import EVERYTHING, PART, SIGHTING, Shelf, Wanted
from app.archive.shelf_on_disk import open_shelf
from app.archive.shelf_on_server import open_on_server
from app.archive.sighting import Point, Sighting, id_of, point_of
from pipeline.config import ServerConfig
from tests.app.archive.memory_shelf import MemoryShelf
from tests.app.archive.test_sighting import sighting
from tests.pipeline.gallery.qdrant_peer import QdrantPeer

SPACE, DIM = "painted@1", 8


@pytest.fixture(params=["disk", "server", "memory"])
def shelf(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shelf]:
    if request.param == "disk":
        made: Shelf = open_shelf(tmp_path / "archive", space=SPACE, dim=DIM)
        yield made
        made.close()
        return
    if request.param == "memory":
        yield MemoryShelf()
        return
    peer = QdrantPeer(nodes=3)
    try:
        made = open_on_server(ServerConfig(peer.url), "archive", space=SPACE, dim=DIM, make=True)
        yield made
        made.close()
        assert peer.violations == []
    finally:
        peer.close()


def part_of(*seen: Sighting) -> list[Point]:
    return [*map(point_of, seen), Point(seen[0].part, {"kind": PART, "recording": seen[0].recording})]


def found(shelf: Shelf, seen: Sighting, wanted: Wanted = EVERYTHING, least: float = -1.0) -> list[str]:
    (hits,) = shelf.search(seen.embedding[None], 10, least, wanted)
    return [hit.sighting.id for hit in hits]


def test_what_was_put_is_there_to_the_last_bit(shelf: Shelf) -> None:
    seen = sighting()
    shelf.put(part_of(seen))
    (point,) = shelf.points(SIGHTING, vectors=True)
    assert (point.id, point.payload) == (seen.id, point_of(seen).payload)
    assert point.vector is not None
    np.testing.assert_allclose(point.vector, seen.embedding, atol=1e-6)
    (marker,) = shelf.points(PART, vectors=True)
    assert (marker.id, marker.vector) == (seen.part, None)


def test_what_is_put_twice_is_there_once(shelf: Shelf) -> None:
    for _ in range(2):
        shelf.put(part_of(sighting(0), sighting(1)))
    assert (shelf.count(SIGHTING), shelf.count(PART)) == (2, 1)


def test_the_most_alike_comes_first_and_what_is_too_unlike_is_left_out(shelf: Shelf) -> None:
    shelf.put([point_of(sighting(number)) for number in range(6)])
    (hits,) = shelf.search(sighting(3).embedding[None], 10, -1.0, Wanted())
    scores = [hit.score for hit in hits]
    assert hits[0].sighting.id == sighting(3).id
    assert scores == sorted(scores, reverse=True)
    assert scores[0] == pytest.approx(1, abs=1e-5)
    assert found(shelf, sighting(3), least=0.999) == [sighting(3).id]


def test_only_sightings_are_found(shelf: Shelf) -> None:
    shelf.put(part_of(sighting()))
    assert found(shelf, sighting()) == [sighting().id]


@pytest.mark.parametrize(
    ("since", "until", "days"),
    [
        ("2026-01-02T12:00:09.000Z", None, {2, 3}),
        ("2026-01-02T12:00:10.000Z", None, {3}),
        (None, "2026-01-02T12:00:00.000Z", {1, 2}),
        (None, "2026-01-02T11:59:59.000Z", {1}),
        ("2026-01-02T12:00:04.000Z", "2026-01-02T12:00:05.000Z", {2}),
    ],
)
def test_a_sighting_counts_that_was_going_on_at_the_time(
    shelf: Shelf, since: str | None, until: str | None, days: set[int]
) -> None:
    shelf.put([point_of(sighting(number)) for number in range(3)])
    wanted = Wanted(since=since, until=until)
    assert set(found(shelf, sighting(), wanted)) == {sighting(day - 1).id for day in days}
    assert shelf.count(SIGHTING, wanted) == len(days)


def test_cameras_are_told_apart(shelf: Shelf) -> None:
    shelf.put([point_of(sighting(number, camera=name)) for number, name in enumerate(("door", "hall", "yard"))])
    assert set(found(shelf, sighting(), Wanted(("hall", "yard")))) == {sighting(1).id, sighting(2).id}


def test_all_of_a_recording_is_forgotten_and_nothing_else(shelf: Shelf) -> None:
    shelf.put(part_of(sighting(0)))
    shelf.put(part_of(sighting(1, recording="0" * 64)))
    shelf.forget("f" * 64)
    assert [one.id for one in shelf.points(SIGHTING)] == [sighting(1).id]
    assert shelf.count(PART) == 1


def test_more_points_than_fit_on_a_page_are_listed_once_and_in_order(shelf: Shelf) -> None:
    ids = sorted(id_of("part", number) for number in range(2500))
    shelf.put([Point(one, {"kind": PART}) for one in ids])
    assert [point.id for point in shelf.points(PART)] == ids
