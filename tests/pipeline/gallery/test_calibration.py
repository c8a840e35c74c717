from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from checkpoints import manifest
from checkpoints.errors import GalleryError
from checkpoints.impostors import Impostors, Looks
from pipeline.gallery import calibration, chance
from pipeline.gallery.calibration import calibrate
from pipeline.gallery.gallery import Picture
from pipeline.gallery.memory import MemoryGallery

DIM = 128
GENUINE = ((0.1, 0.5), (0.9, 0.9))
# Cosines of directions drawn at random have a spread of 1/√D around 0.
RANDOM = tuple((share, z / np.sqrt(DIM)) for share, z in ((0.5, 0.0), (0.1, 1.2816), (0.01, 2.3263), (1e-4, 3.719)))
TABLE = Impostors(1000, 1e-4, 1.0, 1.0, (Looks(1, RANDOM, GENUINE, GENUINE),))
KNOWN = replace(manifest.load("sface"), impostors=TABLE)


def _rows(count: int, seed: int) -> np.ndarray:  # type: ignore[type-arg]
    drawn = np.random.default_rng(seed).normal(size=(count, DIM))
    return (drawn / np.linalg.norm(drawn, axis=1, keepdims=True)).astype(np.float32)


def _gallery(people: int, seed: int = 0) -> MemoryGallery:
    gallery = MemoryGallery(space="space", dim=DIM)
    for number, row in enumerate(_rows(people, seed)):
        gallery.add(f"P{number}", [Picture(row, f"hash{number}", 1.0)])
    return gallery


@pytest.mark.parametrize("people", [1, 5, 60])
@pytest.mark.parametrize("rate", [0.1, 0.01])
def test_as_many_strangers_are_named_as_was_promised(people: int, rate: float) -> None:
    gallery = _gallery(people)
    made = calibrate(gallery, KNOWN, rate, margin=0.0)
    strangers = gallery.search(_rows(4000, seed=1), 1)
    seen = np.mean([matches[0].score > made.threshold for matches in strangers])
    assert rate / 2 < seen < 2 * rate
    assert (made.people, made.pictures, made.rate, made.space) == (people, people, rate, "space")


def test_a_larger_gallery_and_a_smaller_rate_need_a_higher_threshold() -> None:
    small, large = _gallery(3), _gallery(300)
    assert calibrate(small, KNOWN, 0.01).threshold < calibrate(large, KNOWN, 0.01).threshold
    assert calibrate(small, KNOWN, 0.01).threshold < calibrate(small, KNOWN, 0.001).threshold
    strict, loose = calibrate(large, KNOWN, 0.001), calibrate(large, KNOWN, 0.1)
    assert strict.expected_misses is not None and loose.expected_misses is not None
    assert strict.expected_misses > loose.expected_misses


def test_people_who_are_more_alike_here_than_elsewhere_raise_the_threshold() -> None:
    family = MemoryGallery(space="space", dim=DIM)
    common = _rows(1, seed=9)[0]
    for number, row in enumerate(_rows(200, seed=2)):
        family.add(f"P{number}", [Picture(row + common, f"hash{number}", 1.0)])
    alike, others = calibrate(family, KNOWN, 0.01), calibrate(_gallery(200), KNOWN, 0.01)
    assert alike.shift > 0.2 > abs(others.shift)
    assert alike.threshold > others.threshold + 0.2
    assert (alike.basis, calibrate(_gallery(5), KNOWN, 0.01).basis) == ("both", "table")


def test_without_a_table_the_gallery_speaks_for_itself_if_it_is_large_enough() -> None:
    bare = replace(KNOWN, impostors=None)
    made = calibrate(_gallery(200), bare, 0.05)
    assert made.basis == "gallery"
    assert made.expected_misses is None
    assert abs(made.threshold - calibrate(_gallery(200), KNOWN, 0.05).threshold) < 0.05
    with pytest.raises(GalleryError, match="No threshold can be told"):
        calibrate(_gallery(5), bare, 0.05)
    with pytest.raises(GalleryError, match="nothing to calibrate"):
        calibrate(_gallery(0), KNOWN, 0.05)


def test_it_is_kept_until_the_gallery_is_another(tmp_path: Path) -> None:
    gallery = _gallery(5)
    made = calibration.for_gallery(tmp_path, gallery, KNOWN, 0.01)
    assert made is not None
    assert calibration.load(tmp_path, space="space", content_hash=gallery.content_hash()) == made
    assert calibration.load(tmp_path, space="other", content_hash=gallery.content_hash()) is None
    gallery.add("New", [Picture(_rows(1, seed=5)[0], "new", 1.0)])
    assert calibration.load(tmp_path, space="space", content_hash=gallery.content_hash()) is None
    again = calibration.for_gallery(tmp_path, gallery, KNOWN, 0.01)
    assert again is not None and again.people == 6
    assert calibration.for_gallery(tmp_path, gallery, KNOWN, 0.2) != again, "another rate"
    assert calibration.for_gallery(tmp_path, _gallery(0), KNOWN, 0.01) is None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"threshold": 1}', b"\xff\xfe".decode("latin-1")])
def test_a_damaged_file_counts_as_none(tmp_path: Path, text: str) -> None:
    (tmp_path / calibration.FILE_NAME).write_text(text, encoding="latin-1")
    assert calibration.load(tmp_path, space="space", content_hash="x") is None


def test_a_folder_that_cannot_be_written_to_is_named(tmp_path: Path) -> None:
    made = calibrate(_gallery(2), KNOWN, 0.01)
    with pytest.raises(GalleryError, match="cannot be kept"):
        calibration.save(tmp_path / "nowhere", made)


def test_the_margin_of_the_votes_costs_strangers_their_name_in_a_crowd() -> None:
    plain = chance.chances(TABLE, 500, 500).false_names()
    clear = chance.chances(TABLE, 500, 500, margin=0.05).false_names()
    at = int(np.argmin(np.abs(chance.thresholds() - 0.2)))
    assert clear[at] < 0.6 * plain[at]


@pytest.mark.parametrize("name", ["sface", "facenet", "dlib"])
def test_the_tables_that_are_shipped_make_sense(name: str) -> None:
    table = manifest.load(name).impostors
    assert table is not None
    assert [looks.shots for looks in table.looks] == [1, 3, 5]
    assert table.of_shots(4).shots == 3
    rates = [chance.chances(table, people, people).false_names() for people in (1, 10, 1000)]
    assert (rates[0] <= rates[1] + 1e-9).all() and (rates[1] <= rates[2] + 1e-9).all()
    for one in rates:
        assert (np.diff(one) <= 1e-9).all()


def test_a_table_in_a_manifest_is_checked() -> None:
    text = json.loads((Path(manifest.__file__).parent / "manifests" / "sface.json").read_text())
    text["impostors"]["looks"][0]["strangers"] = {"0.1": 0.3, "0.01": 0.2}
    with pytest.raises(Exception, match="must be two or more cosines"):
        manifest.parse(json.dumps(text), "it")
