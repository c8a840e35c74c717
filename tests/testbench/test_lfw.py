from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from checkpoints.errors import DataError
from testbench.lfw import read_pairs, read_people

GREY = (128, 128, 128)
REAL = Path(__file__).resolve().parents[3] / "shared" / "data"


@pytest.fixture
def people(portrait: Callable[..., Path], tmp_path: Path) -> Path:
    for name, count in (("Ada", 3), ("Bob", 2), ("Cleo", 1)):
        for number in range(1, count + 1):
            portrait(name, number, GREY)
    return tmp_path


def _pairs(people: Path, text: str) -> Path:
    path = people / "pairs.txt"
    path.write_text(text)
    return path


def test_people_and_their_pictures_by_name(people: Path) -> None:
    (people / "notes.txt").write_text("not a person")
    (people / "Nobody").mkdir()
    found = read_people(people)
    assert {name: [path.name for path in paths] for name, paths in found.items()} == {
        "Ada": ["Ada_0001.jpg", "Ada_0002.jpg", "Ada_0003.jpg"],
        "Bob": ["Bob_0001.jpg", "Bob_0002.jpg"],
        "Cleo": ["Cleo_0001.jpg"],
    }


def test_a_folder_without_people_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no people"):
        read_people(tmp_path)
    with pytest.raises(DataError, match="does not exist"):
        read_people(tmp_path / "nowhere")


def test_folds_as_the_first_line_says(people: Path) -> None:
    text = "2\t1\nAda\t1\t2\nAda\t1\tBob\t2\nBob\t1\t2\nCleo\t1\tAda\t3\n"
    pairs = read_pairs(_pairs(people, text), people)
    assert pairs.same.tolist() == [True, False, True, False]
    assert pairs.folds.tolist() == [0, 0, 1, 1]
    assert [[path.name for path in pair] for pair in pairs.paths][3] == ["Cleo_0001.jpg", "Ada_0003.jpg"]


def test_a_list_without_folds_is_cut_into_ten_with_as_many_of_each_kind(people: Path) -> None:
    text = "20\n" + "Ada\t1\t2\n" * 20 + "Ada\t1\tBob\t1\n" * 20
    pairs = read_pairs(_pairs(people, text), people)
    for fold in range(10):
        assert pairs.same[pairs.folds == fold].tolist() == [True, True, False, False]


def test_the_first_pairs_are_as_many_of_each_fold_and_kind(people: Path) -> None:
    text = "2 3\n" + ("Ada 1 2\n" * 3 + "Ada 1 Bob 1\n" * 3) * 2
    few = read_pairs(_pairs(people, text), people).first(8)
    assert few.folds.tolist() == [0] * 4 + [1] * 4
    assert few.same.tolist() == [True, True, False, False] * 2
    assert len(few.paths) == 8
    assert len(read_pairs(people / "pairs.txt", people).first(100).paths) == 12


@pytest.mark.parametrize(
    ("text", "saw"),
    [
        ("", "line 1: ''"),
        ("Ada 1 2\n", "line 1: 'Ada 1 2'"),
        ("1 2 3\n", "line 1: '1 2 3'"),
        ("0\n", "line 1"),
        ("1 1\nAda 1 2\nAda one Bob 1\n", "line 3: 'Ada one Bob 1'"),
        ("1 1\nAda 1\nAda 1 Bob 1\n", "line 2: 'Ada 1'"),
        ("1 1\nAda 1 4\nAda 1 Bob 1\n", "line 2"),
        ("1 2\nAda 1 2\nAda 1 Bob 1\n", "2 pairs, 1 of them of one person; '1 2' asks for 1 times 2"),
        ("1 1\nAda 1 Bob 1\nAda 1 2\n", "asks for"),
    ],
)
def test_what_does_not_fit_is_named(text: str, saw: str, people: Path) -> None:
    with pytest.raises(DataError) as caught:
        read_pairs(_pairs(people, text), people)
    assert caught.value.saw is not None
    assert saw in caught.value.saw


def test_a_missing_list_or_folder_is_told(people: Path) -> None:
    with pytest.raises(DataError, match="list of pairs cannot be read"):
        read_pairs(people / "nowhere.txt", people)
    with pytest.raises(DataError, match="folder with the people does not exist"):
        read_pairs(_pairs(people, "1 1\n"), people / "nowhere")


def test_labeled_faces_in_the_wild() -> None:
    if not (REAL / "people").is_dir():
        pytest.skip(f"{REAL / 'people'} is not there")
    people = read_people(REAL / "people")
    assert sum(len(pictures) > 1 for pictures in people.values()) == 806
    pairs = read_pairs(REAL / "people_pairs.txt", REAL / "people")
    assert (len(pairs.paths), int(pairs.same.sum()), len(set(pairs.folds.tolist()))) == (3000, 1500, 5)
