"""One suite for every gallery."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from checkpoints.errors import EnrolmentError, GalleryError
from pipeline.gallery.embedded import open_gallery
from pipeline.gallery.gallery import Gallery, Match, Picture
from pipeline.gallery.memory import MemoryGallery

DIM = 8
SPACE = "test@sha256:1"


@pytest.fixture(params=["memory", "embedded"])
def gallery(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Gallery]:
    makers: dict[str, Callable[[], Gallery]] = {
        "memory": lambda: MemoryGallery(space=SPACE, dim=DIM),
        "embedded": lambda: open_gallery(tmp_path / "gallery", space=SPACE, dim=DIM),
    }
    made = makers[request.param]()
    yield made
    made.close()


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
    assert matches == [Match("Ann", 1.0), Match("Bob", 0.0)]


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


@pytest.mark.parametrize("name", ["", "  ", " Ann", "Ann\n", "A\x1b[31mnn"])
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


def test_both_galleries_answer_alike(tmp_path: Path) -> None:
    random = np.random.default_rng(7)
    memory = MemoryGallery(space=SPACE, dim=64)
    embedded = open_gallery(tmp_path / "gallery", space=SPACE, dim=64)
    for number in range(60):
        pictures = [picture(random.normal(size=64).astype(np.float32), f"{number}-{n}") for n in range(1 + number % 5)]
        for one in (memory, embedded):
            one.add(f"person {number}", pictures)
    rows = random.normal(size=(20, 64)).astype(np.float32)
    for expected, found in zip(memory.search(rows, limit=5), embedded.search(rows, limit=5), strict=True):
        assert [match.name for match in found] == [match.name for match in expected]
        assert [match.score for match in found] == pytest.approx([match.score for match in expected], abs=2e-6)
    embedded.close()
