from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from checkpoints.errors import GalleryLocked
from pipeline.gallery.lock import Lock


def test_who_comes_second_is_told_who_holds_it(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with Lock(path):
        with pytest.raises(GalleryLocked, match="in use") as caught:
            Lock(path)
        assert f"process {os.getpid()} (" in str(caught.value.saw)
        assert json.loads(path.read_text())["pid"] == os.getpid()
    assert path.read_text() == ""
    Lock(path).release()


def test_it_holds_on_a_full_disk_too_without_saying_by_whom(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")  # a file that may not grow is as good as a full disk
    path = tmp_path / "lock"
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        held = Lock(path)
        with pytest.raises(GalleryLocked) as caught:
            Lock(path)
        held.release()
        Lock(path).release()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert "somebody who has not said who it is" in str(caught.value.saw)
