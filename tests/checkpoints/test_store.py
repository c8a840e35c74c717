from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from checkpoints import manifest, store
from checkpoints.errors import ModelError
from checkpoints.manifest import Manifest

CONTENTS = {"pnet": b"first net", "rnet": b"second net", "onet": b"third net"}


@pytest.fixture
def small() -> Manifest:
    """MTCNN's manifest with the sha256s of CONTENTS."""
    mtcnn = manifest.load("mtcnn_reference")
    files = (replace(file, sha256=hashlib.sha256(CONTENTS[file.part]).hexdigest()) for file in mtcnn.files)
    return replace(mtcnn, files=tuple(files))


@pytest.fixture
def models(tmp_path: Path, small: Manifest) -> Path:
    for file in small.files:
        (tmp_path / file.name).write_bytes(CONTENTS[file.part])
    return tmp_path


def test_the_files_are_found_by_part(small: Manifest, models: Path) -> None:
    assert store.locate(small, models) == {part: models / f"mtcnn_{part}.onnx" for part in CONTENTS}


def test_a_missing_file_is_told_with_what_to_do(small: Manifest, models: Path) -> None:
    (models / "mtcnn_rnet.onnx").unlink()
    with pytest.raises(ModelError, match=r"needs the file mtcnn_rnet\.onnx, which is not there") as caught:
        store.locate(small, models)
    text = str(caught.value)
    assert str(models / "mtcnn_rnet.onnx") in text
    assert f"python -m checkpoints.fetch mtcnn_reference --models {models}" in text
    assert small.file("rnet").sha256 in text


def test_another_file_of_that_name_is_refused(small: Manifest, models: Path) -> None:
    (models / "mtcnn_onet.onnx").write_bytes(b"somebody else's net")
    with pytest.raises(ModelError, match="not the one that its manifest describes") as caught:
        store.locate(small, models)
    assert hashlib.sha256(b"somebody else's net").hexdigest() in str(caught.value)


def test_a_file_that_changes_is_checked_again(small: Manifest, models: Path) -> None:
    store.locate(small, models)
    (models / "mtcnn_pnet.onnx").write_bytes(b"another net")
    with pytest.raises(ModelError, match=r"mtcnn_pnet\.onnx"):
        store.locate(small, models)


def test_a_file_is_read_once_for_each_process(small: Manifest, models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store.locate(small, models)

    def refuse(*_: object) -> None:
        raise AssertionError("the file was read again")

    monkeypatch.setattr(store.hashlib, "sha256", refuse)
    store.locate(small, models)


def test_a_folder_in_the_place_of_a_file_is_not_a_file(small: Manifest, models: Path) -> None:
    (models / "mtcnn_pnet.onnx").unlink()
    (models / "mtcnn_pnet.onnx").mkdir()
    with pytest.raises(ModelError, match="not there"):
        store.locate(small, models)


def test_the_default_folder_needs_no_flag(small: Manifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "DEFAULT_MODELS", tmp_path)
    with pytest.raises(ModelError) as caught:
        store.locate(small, tmp_path)
    assert "--models" not in str(caught.value)


@pytest.fixture
def committed(small: Manifest, models: Path, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: Any) -> Path:
    """R-Net comes with the program instead of lying in the models folder."""
    ours: Path = tmp_path_factory.mktemp("trained")
    monkeypatch.setattr(store, "TRAINED", ours)
    (models / "mtcnn_rnet.onnx").rename(ours / "mtcnn_rnet.onnx")
    return ours


def test_what_comes_with_the_program_is_found_there(small: Manifest, models: Path, committed: Path) -> None:
    assert store.is_there(small.file("rnet"), models)
    found = store.locate(small, models)
    assert found["rnet"] == committed / "mtcnn_rnet.onnx"
    assert found["pnet"] == models / "mtcnn_pnet.onnx"


def test_another_file_of_that_name_in_the_models_folder_does_not_matter(
    small: Manifest, models: Path, committed: Path
) -> None:
    (models / "mtcnn_rnet.onnx").write_bytes(b"the net of another model")
    assert store.locate(small, models)["rnet"] == committed / "mtcnn_rnet.onnx"


def test_the_right_file_in_the_models_folder_is_taken_where_ours_is_damaged(
    small: Manifest, models: Path, committed: Path
) -> None:
    (committed / "mtcnn_rnet.onnx").write_bytes(b"half a n")
    assert not store.is_there(small.file("rnet"), models)
    (models / "mtcnn_rnet.onnx").write_bytes(CONTENTS["rnet"])
    assert store.locate(small, models)["rnet"] == models / "mtcnn_rnet.onnx"


def test_nobody_is_sent_to_fetch_what_comes_with_the_program(small: Manifest, models: Path, committed: Path) -> None:
    (committed / "mtcnn_rnet.onnx").unlink()
    files = tuple(replace(file, source=None) for file in small.files)
    with pytest.raises(ModelError, match="not there") as caught:
        store.locate(replace(small, files=files), models)
    assert "checkpoints.fetch" not in str(caught.value)
    assert str(committed / "mtcnn_rnet.onnx") in str(caught.value)
