"""From settings to the shelf: what a key means for an index that is not encrypted."""

from __future__ import annotations

from pathlib import Path

import pytest

from app import settings
from app.archive.opening import shelf_of
from checkpoints.errors import ArchiveError
from checkpoints.sealed import new_key


def test_with_a_key_no_index_is_made_in_the_open_by_mistake(tmp_path: Path) -> None:
    texts = {"DATA_DIR": str(tmp_path), "ENCRYPTION_KEY": new_key()}
    with pytest.raises(ArchiveError, match="not encrypted"):
        shelf_of(settings.load(texts))
    shelf = shelf_of(settings.load({**texts, "ARCHIVE_DIR": str(tmp_path / "on an encrypted disk")}))
    assert shelf.count("sighting") == 0
    shelf.close()
