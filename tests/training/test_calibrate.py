from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from checkpoints import activation_ranges, manifest, portrait, store
from checkpoints.errors import DataError
from training.calibrate import choose, main


def folder(where: Path, count: int, suffix: str = ".jpg") -> Path:
    where.mkdir()
    for number in range(count):
        (where / f"{number}{suffix}").touch()
    return where


def test_pictures_are_chosen_by_the_seed_alone_and_evenly(tmp_path: Path) -> None:
    folders = [folder(tmp_path / "many", 20), folder(tmp_path / "few", 3, ".PNG")]
    chosen = choose(folders, 10, seed=1)
    assert chosen == choose(folders, 10, seed=1)
    assert chosen != choose(folders, 10, seed=2)
    assert [path.parent.name for path in chosen] == ["many"] * 5 + ["few"] * 3
    assert len(set(chosen)) == 8


def test_a_folder_without_pictures_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError):
        choose([folder(tmp_path / "texts", 3, ".txt")], 10, seed=1)


def test_a_name_that_no_model_has_is_told_in_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["nobody", "--data", str(tmp_path)]) == 2
    assert "nobody" in capsys.readouterr().err


def test_a_picture_that_cannot_be_read_is_told_in_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    need("mtcnn_reference")
    assert main(["mtcnn_reference", "--data", str(folder(tmp_path / "empty", 1)), "--out", str(tmp_path)]) == 2
    assert "0.jpg" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["sface", "mtcnn_reference"])
def test_one_face_gives_tables_of_the_committed_kind(name: str, tmp_path: Path) -> None:
    need("mtcnn", name)
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    shutil.copy(portrait.PATH, pictures)
    flags = ["--data", str(pictures), "--method", "max", "--models", str(store.DEFAULT_MODELS)]
    flags += ["--cache", str(tmp_path / "engines")]
    for out in ("one", "two"):
        (tmp_path / out).mkdir()
        assert main([name, *flags, "--out", str(tmp_path / out)]) == 0
    made = sorted((tmp_path / "one").iterdir())
    assert made
    for path in made:
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()
        table = activation_ranges.parse(path.read_text(encoding="utf-8"), path.name)
        committed = activation_ranges.load(path.stem)
        assert list(table.limits) == list(committed.limits)
        # A table of one picture's largest values is of the same order as one of the least error on hundreds.
        assert all(0.2 < table.limits[tensor] / limit < 5 for tensor, limit in committed.limits.items())


def need(*names: str) -> None:
    for name in names:
        known = manifest.load(name)
        if not all(store.is_there(file, store.DEFAULT_MODELS) for file in known.files):
            pytest.skip(f"{name} is not there: run `python -m checkpoints.fetch {name}`")
