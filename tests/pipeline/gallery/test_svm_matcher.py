from __future__ import annotations

import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from checkpoints import manifest
from pipeline.config import GalleryConfig
from pipeline.gallery import svm_matcher
from pipeline.gallery.gallery import Picture
from pipeline.gallery.matcher import NearestMatcher, margin_scale, open_matcher
from pipeline.gallery.memory import MemoryGallery
from pipeline.gallery.svm import train
from pipeline.gallery.svm_matcher import SvmMatcher
from pipeline.gallery.svm_solver import balanced, solve

DIM, PEOPLE = 32, 12
KNOWN = manifest.load("sface")
Floats = NDArray[np.float32]


def _unit(rows: Floats) -> Floats:
    unit: Floats = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return unit


def _faces(seed: int, count: int = PEOPLE) -> Floats:
    return _unit(np.random.default_rng(seed).normal(size=(count, DIM)).astype(np.float32))


def _shots(faces: Floats, seed: int) -> Floats:
    return _unit(faces + 0.5 * _faces(seed, len(faces)))


@pytest.fixture
def config(tmp_path: Path) -> GalleryConfig:
    return GalleryConfig(tmp_path, matcher="svm", match_threshold=0.6)


@pytest.fixture
def gallery() -> MemoryGallery:
    return _filled(2)


def _filled(pictures: int) -> MemoryGallery:
    made = MemoryGallery(space="space", dim=DIM)
    for number, face in enumerate(_faces(0)):
        shots = [_shots(face[None], 100 * number + each)[0] for each in range(pictures)]
        made.add(f"P{number:02}", [Picture(row, f"{number}-{each}", 1.0) for each, row in enumerate(shots)])
    return made


@pytest.mark.parametrize("pictures", [1, 3])
def test_people_are_known_and_strangers_are_not(pictures: int, config: GalleryConfig) -> None:
    matcher = open_matcher(_filled(pictures), KNOWN, config)
    assert isinstance(matcher, SvmMatcher)
    own = matcher.match(_shots(_faces(0), 7000))
    assert [matches[0].name for matches in own] == [f"P{number:02}" for number in range(PEOPLE)]
    strange = matcher.match(_faces(5, 200))
    assert np.mean([matches[0].score > matcher.threshold for matches in strange]) < 0.1
    assert np.mean([matches[0].score > matcher.threshold for matches in own]) > 0.8
    assert all(-1 <= match.score <= 1 for matches in (*own, *strange) for match in matches)
    assert [len(matches) for matches in matcher.match(_faces(5, 2), limit=2)] == [2, 2]
    matcher.close()


def test_the_nearest_picture_of_whom_it_names_is_told(gallery: MemoryGallery, config: GalleryConfig) -> None:
    matcher = open_matcher(gallery, KNOWN, config)
    kept = {one.id: one for one in gallery.kept()}
    for matches in matcher.match(_faces(0)):
        assert kept[matches[0].picture].name == matches[0].name
    matcher.close()


def test_strangers_of_the_gallery_are_told_as_strangers(gallery: MemoryGallery, config: GalleryConfig) -> None:
    nobody = _faces(77, 1)
    gallery.add(None, [Picture(nobody[0], "nobody", 1.0)])
    matcher = open_matcher(gallery, KNOWN, config)
    (matches,) = matcher.match(nobody)
    assert (matches[0].name, matches[0].score) == (None, pytest.approx(1, abs=1e-4))
    matcher.close()


def test_what_was_trained_is_kept_and_trained_anew_when_the_gallery_is_another(
    gallery: MemoryGallery, config: GalleryConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained = []

    def count(rows: Floats, owners: NDArray[np.intp], people: int) -> object:
        trained.append(people)
        return train(rows, owners, people)

    monkeypatch.setattr(svm_matcher, "train", count)
    first = open_matcher(gallery, KNOWN, config)
    again = open_matcher(gallery, KNOWN, config)
    assert trained == [PEOPLE]
    assert again.match(_faces(3)) == first.match(_faces(3))
    assert not first.refresh()
    newcomer = _faces(99, 1)
    gallery.add("New", [Picture(newcomer[0], "new", 1.0)])
    assert not first.refresh(), "it is being trained"
    first._trainer.shutdown()  # type: ignore[attr-defined]
    assert first.refresh()
    assert trained == [PEOPLE, PEOPLE + 1]
    assert first.match(newcomer)[0][0].name == "New"
    svm_matcher.erase(config.path)
    svm_matcher.erase(config.path)
    assert not (config.path / svm_matcher.FILE_NAME).exists()
    again.close()


def test_a_file_whose_parts_are_no_arrays_is_trained_again(gallery: MemoryGallery, config: GalleryConfig) -> None:
    path = config.path / svm_matcher.FILE_NAME
    open_matcher(gallery, KNOWN, config).close()
    with zipfile.ZipFile(path) as kept:
        parts = {name: kept.read(name) for name in kept.namelist()}
    with zipfile.ZipFile(path, "w") as damaged:
        for name, content in parts.items():
            damaged.writestr(name, b"no array" if name.startswith("weights") else content)
    matcher = open_matcher(gallery, KNOWN, config)
    assert matcher.match(_faces(0))[0][0].name == "P00"
    matcher.close()


def test_a_damaged_file_is_trained_again(gallery: MemoryGallery, config: GalleryConfig) -> None:
    (config.path / svm_matcher.FILE_NAME).write_bytes(b"no archive")
    matcher = open_matcher(gallery, KNOWN, config)
    assert matcher.match(_faces(0))[0][0].name == "P00"
    matcher.close()


def test_with_too_few_people_the_nearest_picture_decides(
    config: GalleryConfig, caplog: pytest.LogCaptureFixture
) -> None:
    small = MemoryGallery(space="space", dim=DIM)
    for number, face in enumerate(_faces(0, 3)):
        small.add(f"P{number}", [Picture(face, str(number), 1.0)])
    matcher = open_matcher(small, KNOWN, config)
    assert matcher.match(_faces(0, 3)) == small.search(_faces(0, 3), 3)
    assert "nearest picture decides" in caplog.text
    matcher.close()


def test_the_nearest_matcher_follows_the_gallery(gallery: MemoryGallery, config: GalleryConfig) -> None:
    matcher = open_matcher(gallery, KNOWN, replace(config, matcher="nearest", match_threshold=None))
    assert isinstance(matcher, NearestMatcher)
    assert matcher.match(_faces(1)) == gallery.search(_faces(1), 3)
    assert not matcher.refresh()
    before = matcher.threshold
    for number, face in enumerate(_faces(50, 100)):
        gallery.add(f"more {number}", [Picture(face, f"more {number}", 1.0)])
    assert matcher.refresh()
    assert matcher.threshold > before


def test_the_threshold_set_by_hand_counts_first_and_the_manifests_last(tmp_path: Path) -> None:
    empty = MemoryGallery(space="space", dim=DIM)
    assert open_matcher(empty, KNOWN, GalleryConfig(tmp_path)).threshold == KNOWN.match_threshold
    assert open_matcher(empty, KNOWN, GalleryConfig(tmp_path, match_threshold=0.7)).threshold == 0.7


def test_margins_are_narrower_where_cosines_lie_closer_together() -> None:
    assert margin_scale(KNOWN) == pytest.approx(1, abs=0.01)
    assert margin_scale(manifest.load("dlib")) < 0.4
    assert margin_scale(replace(KNOWN, impostors=None)) == 1


def test_one_with_twenty_pictures_does_not_swallow_one_with_five() -> None:
    owners = np.array([0] * 20 + [1] * 5 + [-1] * 5)
    weights = balanced(owners, 2)
    for who, count in ((0, 20), (1, 5)):
        mine = owners == who
        assert weights[mine, who].sum() == pytest.approx(15)
        assert weights[~mine, who].sum() == pytest.approx(15)
        assert mine.sum() == count


def test_the_solver_finds_the_minimum() -> None:
    """No small step from it makes the squared hinge loss with its regularisation smaller."""
    rows, owners = _faces(1, 30), np.arange(30) % 3
    found = solve(rows, owners, 3, cost=1.0, rounds=300)
    weighed = balanced(owners, 3)

    def loss(weights: Floats, who: int) -> float:
        signs = np.where(owners == who, 1, -1)
        short = np.maximum(0, 1 - signs * (rows @ weights[:-1] + weights[-1]))
        return float(0.5 * weights @ weights + np.sum(weighed[:, who] * short**2))

    steps: list[Callable[[], Floats]] = [lambda d=d: 0.02 * _faces(d, 1)[0] for d in range(20)]  # type: ignore[misc]
    for who in range(3):
        for step in steps:
            aside = found[who] + np.append(step(), 0).astype(np.float32)
            assert loss(aside, who) > loss(found[who], who)
