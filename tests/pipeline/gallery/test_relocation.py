"""A gallery on disk moves to a cluster: whole, again, after being stopped anywhere, and damaged on the way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from checkpoints.errors import GalleryAway
from pipeline.config import ServerConfig
from pipeline.gallery.edits import PAGE, Change, Edited, Put
from pipeline.gallery.folder import open_edge
from pipeline.gallery.gallery import Cutout, Picture
from pipeline.gallery.memory import MemoryGallery
from pipeline.gallery.relocation import Move, Moved, compare
from pipeline.gallery.server import QdrantServerGallery

SPACE = "sface@sha256:aa"
DIM = 8
JPEG = b"\xff\xd8 a face"


def picture(n: int) -> Picture:
    random = np.random.default_rng(n)
    cutout = Cutout(JPEG + bytes([n % 256]), random.uniform(0, 112, (5, 2)).astype(np.float32)) if n % 3 else None
    return Picture(random.normal(size=DIM).astype(np.float32), f"hash {n}", n / 1000, cutout, f"{n}.jpg")


@pytest.fixture
def source(tmp_path: Path) -> Iterator[Edited]:
    gallery = open_edge(tmp_path / "here", space=SPACE, dim=DIM)
    gallery.add("Zoë", [picture(n) for n in range(200)])
    gallery.add("Bob", [picture(n) for n in range(200, 390)])
    gallery.add(None, [picture(n) for n in range(390, 400)])
    yield gallery
    gallery.close()


@pytest.fixture
def target(server_config: ServerConfig) -> Iterator[QdrantServerGallery]:
    gallery = QdrantServerGallery(server_config, space=SPACE, dim=DIM)
    yield gallery
    gallery.close()


def moved(source: Edited, target: Edited) -> Moved:
    return Move(source, target, lambda count: None).run()


def test_everything_arrives_and_a_second_move_changes_nothing(source: Edited, target: QdrantServerGallery) -> None:
    told: list[int] = []
    first = Move(source, target, told.append).run()
    assert (first.put, first.renamed, first.source, first.target) == (400, 0, 400, 400)
    assert first.is_whole and first.compared.here == first.compared.there
    assert sum(told) == 400
    assert target.content_hash() == source.content_hash()
    assert {kept.picture.cutout.jpeg for kept in target.kept() if kept.picture.cutout} == {
        kept.picture.cutout.jpeg for kept in source.kept() if kept.picture.cutout
    }
    again = moved(source, target)
    assert again.is_whole and (again.put, again.renamed) == (0, 0)
    assert again.compared == first.compared


@pytest.mark.parametrize("changes", [0, 1])
def test_a_move_that_was_stopped_goes_on(
    source: Edited, target: QdrantServerGallery, changes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = [target.apply] * changes

    def gone(change: Change) -> None:
        if not left:
            raise GalleryAway("The gallery's server does not answer.")
        left.pop()(change)

    monkeypatch.setattr(target, "apply", gone)
    with pytest.raises(GalleryAway):
        moved(source, target)
    monkeypatch.undo()
    assert target.count() == changes * PAGE
    rest = moved(source, target)
    assert rest.is_whole and rest.put == 400 - changes * PAGE


def test_what_only_the_target_has_stays_and_what_has_another_name_there_gets_the_sources(
    source: Edited, target: QdrantServerGallery
) -> None:
    moved(source, target)
    target.add("Cleo", [picture(1000)])
    source.rename("Bob", "Robert")
    report = moved(source, target)
    assert report.is_whole and (report.put, report.renamed) == (0, 190)
    assert (report.source, report.target) == (400, 401)
    assert {person.name: person.pictures for person in target.people()} == {"Cleo": 1, "Robert": 190, "Zoë": 200}


@pytest.mark.parametrize("what", ["vector", "cutout", "quality", "lost"])
def test_what_was_damaged_there_is_found_and_brought_again(make_peer: Any, source: Edited, what: str) -> None:
    peer = make_peer()
    target = QdrantServerGallery(ServerConfig(peer.url), space=SPACE, dim=DIM)
    moved(source, target)
    points = peer.collections["facewire"].points
    one = next(each for each, point in points.items() if "cutout" in point.payload)
    if what == "vector":
        points[one].vectors[""] = np.roll(points[one].vectors[""], 1)
    elif what == "cutout":
        points[one].payload["cutout"] = "AAAA"
    elif what == "quality":
        points[one].payload["quality"] += 0.01
    else:
        del points[one]
    found = compare(source, target, lambda count: None)
    assert found.differing == (one,)
    assert (found.here == found.there) == (what == "vector")  # a checksum of a vector would differ in its last bit
    report = moved(source, target)
    assert report.is_whole and report.put == 1
    target.close()


def test_what_a_target_keeps_in_another_form_is_told(source: Edited) -> None:
    class Worse(MemoryGallery):
        def apply(self, change: Change) -> None:
            if isinstance(change, Put):
                worse = (replace(kept, picture=replace(kept.picture, quality=0.0)) for kept in change.pictures)
                change = Put(tuple(worse))
            super().apply(change)

    report = moved(source, Worse(space=SPACE, dim=DIM))
    assert not report.is_whole
    assert len(report.compared.differing) == PAGE  # of 399: those that are told are bounded
    assert report.compared.here != report.compared.there


def test_a_single_server_moves_to_a_cluster(make_peer: Any, source: Edited) -> None:
    single = QdrantServerGallery(ServerConfig(make_peer().url), space=SPACE, dim=DIM)
    moved(source, single)
    cluster = QdrantServerGallery(ServerConfig(make_peer(nodes=3).url), space=SPACE, dim=DIM)
    assert moved(single, cluster).is_whole
    assert cluster.content_hash() == source.content_hash()
    single.close()
    cluster.close()
