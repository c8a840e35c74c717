"""One suite for every gallery."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from numpy.typing import NDArray

from checkpoints.errors import EnrolmentError, GalleryError
from checkpoints.sealed import Seal
from pipeline.config import GalleryConfig
from pipeline.gallery.copy import MirroredGallery
from pipeline.gallery.desk_client import DeskGallery
from pipeline.gallery.embedded import EdgeGallery
from pipeline.gallery.far import FarGallery
from pipeline.gallery.gallery import Cutout, Gallery, Health, Kept, Match, Picture
from pipeline.gallery.memory import MemoryGallery
from pipeline.gallery.opening import gallery_of
from pipeline.gallery.sealed_gallery import SealedGallery
from pipeline.gallery.server import QdrantServerGallery

DIM = 8
SPACE = "test@sha256:1"
KINDS = {
    "memory": MemoryGallery,
    "sealed": SealedGallery,
    "edge": EdgeGallery,
    "desk": DeskGallery,
    "mirrored": MirroredGallery,
    "far": FarGallery,
    "server": QdrantServerGallery,
}


@pytest.fixture(params=KINDS)
def gallery(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Gallery]:
    path = tmp_path / "gallery"
    made: Gallery
    if request.param == "memory":
        made = MemoryGallery(space=SPACE, dim=DIM)
    elif request.param == "server":
        made = QdrantServerGallery(request.getfixturevalue("server_config"), space=SPACE, dim=DIM)
    else:
        server = request.getfixturevalue("server_config") if request.param in ("mirrored", "far") else None
        if server is not None and request.param == "far":
            server = replace(server, reads="server")
        if request.param == "desk":
            request.getfixturevalue("session_holder").tell("open", path, SPACE, DIM)
        seal = Seal((bytes(32),)) if request.param == "sealed" else Seal()
        made = gallery_of(GalleryConfig(path, server=server, seal=seal), space=SPACE, dim=DIM)
    assert isinstance(made, KINDS[request.param])
    yield made
    made.close()
    if request.param == "desk":
        request.getfixturevalue("session_holder").tell("close", path)


def axis(index: int, towards: int | None = None, amount: float = 0.0) -> NDArray[np.float32]:
    """A unit vector along one axis, leaning towards another."""
    vector = np.zeros(DIM, np.float32)
    vector[index] = 1
    if towards is not None:
        vector[towards] = amount
    return (vector / np.linalg.norm(vector)).astype(np.float32)


def picture(embedding: NDArray[np.float32], image_hash: str) -> Picture:
    return Picture(embedding, image_hash, quality=0.5)


def test_it_says_whose_embeddings_it_keeps(gallery: Gallery) -> None:
    assert gallery.space == SPACE


def test_an_empty_gallery_knows_nobody(gallery: Gallery) -> None:
    assert gallery.people() == []
    assert gallery.search(np.stack([axis(0), axis(1)])) == [[], []]
    assert gallery.delete("Ann") == 0


def test_the_nearest_person_comes_first(gallery: Gallery) -> None:
    gallery.add("Ann", [picture(axis(0), "a")])
    gallery.add("Bob", [picture(axis(1), "b")])
    gallery.add("Cleo", [picture(axis(2), "c")])
    (matches,) = gallery.search(axis(1, towards=0, amount=0.5)[None], limit=2)
    assert [match.name for match in matches] == ["Bob", "Ann"]
    assert matches[0].score == pytest.approx(1 / 1.25**0.5, abs=1e-5)
    assert matches[1].score == pytest.approx(0.5 / 1.25**0.5, abs=1e-5)


def test_each_row_has_its_own_answer(gallery: Gallery) -> None:
    for index in range(DIM):
        gallery.add(f"person {index}", [picture(axis(index), str(index))])
    rows = np.stack([axis(index) for index in (5, 0, 3)])
    assert [matches[0].name for matches in gallery.search(rows, limit=1)] == ["person 5", "person 0", "person 3"]


def test_no_rows_no_answers(gallery: Gallery) -> None:
    assert gallery.search(np.zeros((0, DIM), np.float32)) == []


def test_each_person_comes_once_with_the_best_picture_however_many_there_are(gallery: Gallery) -> None:
    gallery.add("Ann", [picture(axis(0, towards=1, amount=0.001 * n), f"a{n}") for n in range(300)])
    gallery.add("Bob", [picture(axis(1), "b")])
    (matches,) = gallery.search(axis(0)[None], limit=2)
    assert [(match.name, match.score) for match in matches] == [("Ann", 1.0), ("Bob", 0.0)]


def test_the_limit_counts_people(gallery: Gallery) -> None:
    for index in range(DIM):
        gallery.add(f"{index}", [picture(axis(index), f"x{n}") for n in range(3)])
    assert [len(gallery.search(axis(0)[None], limit=limit)[0]) for limit in (1, 2, 5, 100)] == [1, 2, 5, DIM]


def test_equal_scores_go_by_name_even_where_the_answer_is_cut(gallery: Gallery) -> None:
    names = [f"person {n:03}" for n in range(200)]
    for name in reversed(names):
        gallery.add(name, [picture(axis(0), "same")])
    (matches,) = gallery.search(axis(0, towards=1, amount=0.3)[None], limit=3)
    assert [match.name for match in matches] == names[:3]


def test_the_same_picture_is_kept_once(gallery: Gallery) -> None:
    assert gallery.add("Ann", [picture(axis(0), "a"), picture(axis(0), "a"), picture(axis(1), "b")]) == 2
    assert gallery.add("Ann", [picture(axis(0), "a"), picture(axis(2), "c")]) == 1
    assert [(person.name, person.pictures) for person in gallery.people()] == [("Ann", 3)]


def test_two_people_may_share_a_picture(gallery: Gallery) -> None:
    assert gallery.add("Ann", [picture(axis(0), "a")]) == gallery.add("Bob", [picture(axis(0), "a")]) == 1


def test_people_come_by_name_with_the_time_of_their_first_picture(gallery: Gallery) -> None:
    gallery.add("Zoë", [picture(axis(0), "z")])
    first = gallery.people()[0].since
    gallery.add("Ann", [picture(axis(1), "a"), picture(axis(2), "b")])
    gallery.add("Zoë", [picture(axis(3), "y")])
    ann, zoe = gallery.people()
    assert (ann.name, ann.pictures, zoe.name, zoe.pictures) == ("Ann", 2, "Zoë", 2)
    assert zoe.since == first <= ann.since
    assert first.endswith("Z")


def test_who_is_deleted_is_gone(gallery: Gallery) -> None:
    gallery.add("Ann", [picture(axis(0), "a"), picture(axis(1), "b")])
    gallery.add("Bob", [picture(axis(2), "c")])
    assert gallery.delete("Ann") == 2
    assert [person.name for person in gallery.people()] == ["Bob"]
    assert [match.name for match in gallery.search(axis(0)[None])[0]] == ["Bob"]
    assert gallery.delete("Ann") == 0
    assert gallery.add("Ann", [picture(axis(0), "a")]) == 1


def test_names_are_compared_as_written(gallery: Gallery) -> None:
    for name in ("ann", "Ann", "Ann B", "名前", "a'\"*%"):
        gallery.add(name, [picture(axis(0), "a")])
    assert {person.name for person in gallery.people()} == {"ann", "Ann", "Ann B", "名前", "a'\"*%"}
    assert gallery.delete("Ann") == 1
    assert len(gallery.people()) == 4


@pytest.mark.parametrize("name", ["", "  ", " Ann", "Ann\n", "A\x1b[31mnn", "../Ann", "A\\B", "x" * 300])
def test_what_cannot_be_a_name(gallery: Gallery, name: str) -> None:
    with pytest.raises(EnrolmentError):
        gallery.add(name, [picture(axis(0), "a")])
    assert gallery.people() == []


def test_embeddings_of_another_length_are_refused(gallery: Gallery) -> None:
    with pytest.raises(GalleryError, match="does not belong"):
        gallery.add("Ann", [picture(np.ones(DIM + 1, np.float32), "a")])
    with pytest.raises(GalleryError, match=SPACE):
        gallery.search(np.ones((1, DIM + 1), np.float32))
    assert gallery.people() == []


def test_a_broken_embedding_resembles_nobody_and_is_not_kept(gallery: Gallery) -> None:
    gallery.add("Ann", [picture(axis(0), "a")])
    rows = np.stack([np.full(DIM, np.nan), np.zeros(DIM), axis(0)]).astype(np.float32)
    assert [[match.name for match in matches] for matches in gallery.search(rows)] == [[], [], ["Ann"]]
    with pytest.raises(ValueError, match="direction"):
        gallery.add("Bob", [picture(np.full(DIM, np.nan, np.float32), "n")])


def cutout(text: bytes = b"jpeg") -> Cutout:
    return Cutout(b"\xff\xd8" + text, np.arange(10, dtype=np.float32).reshape(5, 2))


def everything(gallery: Gallery) -> list[tuple[Any, ...]]:
    """What it keeps, in a form that can be compared."""
    return [
        (
            kept.id,
            kept.name,
            kept.time,
            kept.picture.image_hash,
            kept.picture.quality,
            kept.picture.source,
            None if kept.picture.cutout is None else (kept.picture.cutout.jpeg, kept.picture.cutout.landmarks.tolist()),
            [round(float(value), 5) for value in kept.picture.embedding],
        )
        for kept in gallery.kept()
    ]


def kept_by_another(name: str | None, embedding: NDArray[np.float32], image_hash: str) -> Kept:
    return Kept(str(uuid4()), name, "2020-02-02T02:02:02.000Z", picture(embedding, image_hash))


def test_it_says_how_long_its_embeddings_are_and_that_it_is_well(gallery: Gallery) -> None:
    assert gallery.dim == DIM
    assert gallery.health() == Health(None, 0) or isinstance(gallery, MirroredGallery)


def test_what_was_given_comes_back(gallery: Gallery) -> None:
    given = Picture(axis(0), "a", 0.75, cutout(), "holiday.jpg")
    gallery.add("Ann", [given])
    (kept,) = gallery.kept()
    assert (kept.name, len(kept.id), kept.time[:2]) == ("Ann", 36, "20")
    assert (kept.picture.image_hash, kept.picture.quality, kept.picture.source) == ("a", 0.75, "holiday.jpg")
    assert kept.picture.cutout is not None and given.cutout is not None
    assert kept.picture.cutout.jpeg == given.cutout.jpeg
    np.testing.assert_array_equal(kept.picture.cutout.landmarks, given.cutout.landmarks)
    np.testing.assert_allclose(kept.picture.embedding, axis(0), atol=1e-6)


def test_pictures_of_some_people_only(gallery: Gallery) -> None:
    for name in ("Ann", "Bob", None):
        gallery.add(name, [picture(axis(n), f"{name}{n}") for n in range(3)])
    assert [kept.name for kept in gallery.kept(["Bob"])] == ["Bob"] * 3
    assert [kept.name for kept in gallery.kept([None])] == [None] * 3
    assert {kept.name for kept in gallery.kept([None, "Ann"])} == {None, "Ann"}
    assert list(gallery.kept(["Nobody"])) == list(gallery.kept([])) == []
    ids = [kept.id for kept in gallery.kept()]
    assert ids == [kept.id for kept in gallery.kept()] == sorted(ids)


def test_pictures_are_read_while_others_are_erased(gallery: Gallery) -> None:
    gallery.add("Ann", [picture(axis(0, towards=1, amount=0.001 * n), f"{n}") for n in range(300)])
    reading = gallery.kept()
    first = next(reading)
    assert gallery.delete("Ann") == 300
    assert len({first.id, *(kept.id for kept in reading)}) <= 300
    assert list(gallery.kept()) == []


def test_strangers_are_one_and_none_of_the_people(gallery: Gallery) -> None:
    assert gallery.add(None, [picture(axis(0), "s"), picture(axis(0), "s"), picture(axis(1), "t")]) == 2
    gallery.add("Ann", [picture(axis(2), "a")])
    assert [person.name for person in gallery.people()] == ["Ann"]
    (matches,) = gallery.search(axis(0, towards=1, amount=0.5)[None], limit=5)
    assert [match.name for match in matches] == [None, "Ann"]
    assert gallery.delete(None) == 2
    assert [match.name for match in gallery.search(axis(0)[None])[0]] == ["Ann"]


def test_a_stranger_who_is_just_as_like_comes_first(gallery: Gallery) -> None:
    gallery.add("Ann", [picture(axis(0), "a")])
    gallery.add(None, [picture(axis(0), "s")])
    assert [match.name for match in gallery.search(axis(0)[None])[0]] == [None, "Ann"]


def test_a_match_says_which_picture(gallery: Gallery) -> None:
    gallery.add("Ann", [picture(axis(0), "a"), picture(axis(1), "b")])
    near = {kept.picture.image_hash: kept.id for kept in gallery.kept()}
    assert gallery.search(np.stack([axis(0), axis(1)]), limit=1) == [
        [Match("Ann", 1.0, near["a"])],
        [Match("Ann", 1.0, near["b"])],
    ]


def test_restored_pictures_keep_their_ids_and_times(gallery: Gallery) -> None:
    old = [kept_by_another("Ann", axis(0), "a"), kept_by_another(None, axis(1), "s")]
    assert gallery.restore(old) == 2
    assert gallery.restore(old) == 0
    assert gallery.restore([kept_by_another("Ann", axis(3), "a"), kept_by_another("Bob", axis(3), "a")]) == 1
    assert {kept.id for kept in old} <= {kept.id for kept in gallery.kept()}
    assert gallery.people()[0].since == old[0].time
    assert gallery.restore([]) == 0


@pytest.mark.parametrize("one", ["", "../../etc/passwd", "7", "A" * 36])
def test_ids_that_are_none(gallery: Gallery, one: str) -> None:
    with pytest.raises(GalleryError, match="id"):
        gallery.restore([Kept(one, "Ann", "2020-02-02T02:02:02.000Z", picture(axis(0), "a"))])
    assert list(gallery.kept()) == []


def test_a_new_name(gallery: Gallery) -> None:
    gallery.add("Ann", [picture(axis(0), "a"), picture(axis(1), "b")])
    gallery.add("Bob", [picture(axis(2), "c")])
    assert gallery.rename("Ann", "Zoë") == 2
    assert [person.name for person in gallery.people()] == ["Bob", "Zoë"]
    assert gallery.search(axis(0)[None])[0][0].name == "Zoë"
    for name, new_name in (("Ann", "Cleo"), ("Zoë", "Bob")):
        with pytest.raises(GalleryError):
            gallery.rename(name, new_name)
    with pytest.raises(EnrolmentError):
        gallery.rename("Zoë", "Zoë/..")
    assert gallery.rename("Zoë", "Zoë") == 2
    assert [person.name for person in gallery.people()] == ["Bob", "Zoë"]


def test_two_names_of_one_person(gallery: Gallery) -> None:
    gallery.add("Ann", [picture(axis(0), "a"), picture(axis(1), "b")])
    gallery.add("Anna", [picture(axis(1), "b"), picture(axis(2), "c")])
    assert gallery.merge("Anna", "Ann") == 2
    assert [(person.name, person.pictures) for person in gallery.people()] == [("Ann", 3)]
    for name, into in (("Anna", "Ann"), ("Ann", "Anna")):
        with pytest.raises(GalleryError, match="nobody"):
            gallery.merge(name, into)
    assert gallery.merge("Ann", "Ann") == 2 + 1


def test_single_pictures_are_erased(gallery: Gallery) -> None:
    gallery.add("Ann", [Picture(axis(0), "a", 0.5, cutout()), picture(axis(1), "b")])
    first, second = (kept.id for kept in gallery.kept())
    assert gallery.remove([first, first, str(uuid4())]) == 1
    assert [kept.id for kept in gallery.kept()] == [second]
    assert gallery.remove([first]) == gallery.remove([]) == 0


def test_the_content_has_a_hash(gallery: Gallery) -> None:
    seen = [gallery.content_hash()]
    gallery.add("Ann", [picture(axis(0), "a")])
    seen.append(gallery.content_hash())
    gallery.add(None, [picture(axis(1), "s")])
    seen.append(gallery.content_hash())
    gallery.rename("Ann", "Bob")
    seen.append(gallery.content_hash())
    gallery.remove([next(gallery.kept(["Bob"])).id])
    seen.append(gallery.content_hash())
    assert len(set(seen)) == len(seen)
    assert gallery.content_hash() == seen[-1]
    copy = MemoryGallery(space=SPACE, dim=DIM)
    copy.restore(list(gallery.kept()))
    assert copy.content_hash() == seen[-1]
    other = MemoryGallery(space="other", dim=DIM)
    other.restore(list(gallery.kept()))
    assert other.content_hash() != seen[-1]


def test_all_galleries_answer_alike(gallery: Gallery) -> None:
    random = np.random.default_rng(7)
    memory = MemoryGallery(space=SPACE, dim=DIM)
    for number in range(60):
        name = None if number % 9 == 0 else f"person {number}"
        gallery.add(
            name,
            [
                Picture(random.normal(size=DIM).astype(np.float32), f"{number}-{n}", 0.5, cutout() if n % 2 else None)
                for n in range(1 + number % 5)
            ],
        )
    memory.restore(list(gallery.kept()))
    assert everything(memory) == everything(gallery)
    rows = random.normal(size=(20, DIM)).astype(np.float32)
    for expected, found in zip(memory.search(rows, limit=5), gallery.search(rows, limit=5), strict=True):
        assert [(match.name, match.picture) for match in found] == [(match.name, match.picture) for match in expected]
        assert [match.score for match in found] == pytest.approx([match.score for match in expected], abs=2e-6)
