from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from checkpoints.errors import DataError
from engines.options import EngineOptions
from testbench.embeddings import embedded
from testbench.impostors import table
from testbench.portraits import Portraits

SFACE = EngineOptions()


class Maker:
    """Embeds a picture as the length of its name; remembers what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []

    def __call__(self, paths: Sequence[Path], options: EngineOptions) -> Portraits:
        self.asked.append([path.name for path in paths])
        rows = np.array([[len(path.name), 1] for path in paths], np.float32)
        return Portraits(rows, np.ones(len(paths), np.float32), np.ones(len(paths), np.bool_), 1.0)


def test_what_is_in_the_file_is_not_embedded_again(tmp_path: Path) -> None:
    make, cache = Maker(), tmp_path / "kept.npz"
    a, bb, ccc = (tmp_path / name for name in ("a", "bb", "ccc"))
    embedded([a, bb], SFACE, cache=cache, make=make)
    found = embedded([ccc, a], SFACE, cache=cache, make=make)
    assert make.asked == [["a", "bb"], ["ccc"]]
    assert found.vectors[:, 0].tolist() == [3, 1]


def test_other_models_have_other_embeddings_in_the_same_file(tmp_path: Path) -> None:
    make, cache = Maker(), tmp_path / "kept.npz"
    for options in (SFACE, replace(SFACE, embedder="facenet"), replace(SFACE, precision="fp32"), SFACE):
        embedded([tmp_path / "a"], options, cache=cache, make=make)
    assert len(make.asked) == 3


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    cache = tmp_path / "kept.npz"
    cache.write_bytes(b"no archive")
    with pytest.raises(DataError, match="cannot be read"):
        embedded([tmp_path / "a"], SFACE, cache=cache, make=Maker())


def test_the_table_of_directions_drawn_at_random_is_known() -> None:
    """In D dimensions such cosines have a spread of 1/√D; a person's own pictures lie about one direction."""
    draw, people, each, dim = np.random.default_rng(0), 600, 8, 64
    directions = np.repeat(draw.normal(size=(people, dim)), each, axis=0)
    rows = directions + 0.5 * draw.normal(size=directions.shape)
    rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    owners = np.repeat(np.arange(people), each)
    measured = table(owners, Portraits(rows, np.ones(len(rows), np.float32), np.ones(len(rows), np.bool_), 1.0))
    looks = measured["looks"]
    assert isinstance(looks, list)
    strangers = looks[0]["strangers"]
    for share, deviate in (("0.5", 0.0), ("0.01", 2.33), ("0.001", 3.09), ("1e-05", 4.26)):
        assert strangers[share] == pytest.approx(deviate / np.sqrt(dim), abs=0.03)
    assert looks[0]["genuine"]["0.5"] == pytest.approx(0.8, abs=0.03)
    assert looks[0]["genuine_three"]["0.5"] > looks[0]["genuine"]["0.5"]
    assert isinstance(measured["crowd_gain"], float) and 0.9 < measured["crowd_gain"] <= 1
    with pytest.raises(DataError, match="Too few people"):
        table(owners[:80], Portraits(rows[:80], np.ones(80, np.float32), np.ones(80, np.bool_), 1.0))
