from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("torch", reason="the extra [train] is not installed")
pytest.importorskip("tensorboard", reason="the extra [train] is not installed")

from checkpoints.errors import OutputError
from training.curves import Curves


def test_what_is_added_lies_in_the_folder(tmp_path: Path) -> None:
    curves = Curves(tmp_path / "curves", 0)
    (file,) = (tmp_path / "curves").iterdir()
    before = file.stat().st_size
    curves.add({"loss": 0.5, "rate": 0.1}, 3)
    assert file.stat().st_size > before
    curves.close()


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    with pytest.raises(OutputError, match="curves cannot be written"):
        Curves(tmp_path / "file" / "curves", 0)
