from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from checkpoints import manifest
from checkpoints.errors import DataError
from engines.detector import Detector
from engines.embedder import Embedder
from testbench.identification import measure, roles
from testbench.lfw import read_people
from testbench.portraits import embed

KNOWN = manifest.load("sface")  # its table of impostors, for a space that is none of its own
RED, BLUE, GREEN, ORANGE = (0, 0, 255), (255, 0, 0), (0, 255, 0), (0, 140, 255)


def test_who_is_enrolled_who_comes_back_and_who_is_a_stranger() -> None:
    people = {
        "Ada": [Path("a1"), Path("a2"), Path("a3")],
        "Bob": [Path("b1")],
        "Cleo": [Path("c1"), Path("c2")],
    }
    cast = roles(people)
    assert cast.enrolled == ((Path("a1"),), (Path("c1"),))
    assert cast.probes == ((Path("a2"),), (Path("a3"),), (Path("c2"),))
    assert cast.owners.tolist() == [0, 0, 1]
    assert cast.strangers == (Path("b1"),)


@pytest.mark.parametrize(
    ("people", "missing"),
    [
        ({"Ada": [Path("a1")]}, "several pictures"),
        ({"Ada": [Path("a1"), Path("a2")]}, "one picture"),
    ],
)
def test_people_of_one_kind_only_are_not_enough(people: dict[str, list[Path]], missing: str) -> None:
    with pytest.raises(DataError, match="cannot be measured") as caught:
        roles(people)
    assert missing in str(caught.value)


def test_measured_on_drawn_people(
    portrait: Callable[..., Path], tmp_path: Path, detector: Detector, embedder: Embedder
) -> None:
    """Ada's second picture looks like Bob: three of four probes get their name. The stranger is like nobody."""
    for name, number, colour in (
        ("Ada", 1, RED),
        ("Ada", 2, BLUE),
        ("Ada", 3, RED),
        ("Bob", 1, BLUE),
        ("Bob", 2, BLUE),
        ("Cleo", 1, GREEN),
        ("Cleo", 2, GREEN),
        ("Stranger", 1, (255, 255, 255)),
    ):
        portrait(name, number, colour)
    report = measure(read_people(tmp_path), lambda paths: embed(paths, detector, embedder), KNOWN)
    assert (report.gallery, report.probes, report.strangers, report.undetected) == (3, 4, 1, 0)
    assert report.rank1 == 0.75
    assert report.dir_at_fpir == {"1e-2": 0.75}


def test_a_probe_that_is_no_more_like_than_a_stranger_is_not_named(
    portrait: Callable[..., Path], tmp_path: Path, detector: Detector, embedder: Embedder
) -> None:
    """Bob's second picture has turned half green, less like his first than the stranger is like Ada."""
    for name, number, colour in (
        ("Ada", 1, RED),
        ("Ada", 2, RED),
        ("Bob", 1, BLUE),
        ("Bob", 2, (255, 160, 0)),
        ("Stranger", 1, (0, 60, 255)),
    ):
        portrait(name, number, colour)
    report = measure(read_people(tmp_path), lambda paths: embed(paths, detector, embedder), KNOWN)
    assert report.rank1 == 1
    assert report.dir_at_fpir == {"1e-2": 0.5}
    assert 0.5 < report.threshold < 1
