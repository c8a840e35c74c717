"""Keys that are made up once."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.fleet import keys
from checkpoints.errors import OutputError


def test_a_key_is_made_once_and_is_for_its_owner_only(tmp_path: Path) -> None:
    folder = tmp_path / "fleet"
    made = keys.kept(folder, keys.EVENTS)
    assert len(made) >= 32
    assert keys.kept(folder, keys.EVENTS) == made
    assert keys.kept(folder, keys.TOKEN) != made
    assert (folder / keys.EVENTS).stat().st_mode & 0o777 == 0o600


def test_a_key_that_is_damaged_is_not_used(tmp_path: Path) -> None:
    (tmp_path / keys.TOKEN).write_text("")
    with pytest.raises(OutputError, match="erase the file"):
        keys.kept(tmp_path, keys.TOKEN)


def test_a_key_of_another_machine_has_to_be_brought(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"copy cluster\.key"):
        keys.brought(tmp_path, keys.CLUSTER)
    made = keys.kept(tmp_path, keys.CLUSTER)
    assert keys.brought(tmp_path, keys.CLUSTER) == made


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError):
        keys.kept(tmp_path / "file", keys.TOKEN)
