from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from engines.blob import HEADER_BYTES, BlobDamaged, read_blob, write_blob

CONTENT = bytes(range(256)) * 50


def test_what_was_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "net.blob"
    write_blob(path, "key", CONTENT)
    blob = read_blob(path, "key")
    assert blob is not None
    assert bytes(blob.bytes) == CONTENT
    blob.release_memory()
    assert bytes(blob.bytes) == CONTENT


def test_no_file_is_no_error(tmp_path: Path) -> None:
    assert read_blob(tmp_path / "none", "key") is None


def test_a_blob_for_something_else_is_refused(tmp_path: Path) -> None:
    write_blob(tmp_path / "net", "key", CONTENT)
    with pytest.raises(BlobDamaged, match="another model, machine or version"):
        read_blob(tmp_path / "net", "other key")


@pytest.mark.parametrize("keep", [0, 100, HEADER_BYTES, HEADER_BYTES + 1, HEADER_BYTES + len(CONTENT) - 1])
def test_a_blob_that_was_cut_is_refused(tmp_path: Path, keep: int) -> None:
    path = tmp_path / "net"
    write_blob(path, "key", CONTENT)
    os.truncate(path, keep)
    with pytest.raises(BlobDamaged, match="too short|changed"):
        read_blob(path, "key")


@pytest.mark.parametrize(("place", "why"), [(0, "header"), (HEADER_BYTES, "changed"), (-1, "changed")])
def test_a_changed_byte_is_noticed(tmp_path: Path, place: int, why: str) -> None:
    path = tmp_path / "net"
    write_blob(path, "key", CONTENT)
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)
    with pytest.raises(BlobDamaged, match=why):
        read_blob(path, "key")


def test_a_folder_in_its_place_is_said(tmp_path: Path) -> None:
    (tmp_path / "net").mkdir()
    with pytest.raises(BlobDamaged, match="cannot be read"):
        read_blob(tmp_path / "net", "key")


def test_a_blob_in_use_survives_that_it_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "net"
    write_blob(path, "key", CONTENT)
    blob = read_blob(path, "key")
    assert blob is not None
    write_blob(path, "key", CONTENT[::-1])
    blob.release_memory()
    assert bytes(blob.bytes) == CONTENT


_WRITER = """
import sys
from pathlib import Path
from engines.blob import write_blob
for _ in range(30):
    write_blob(Path(sys.argv[1]), "key", sys.argv[2].encode() * 500_000)
"""


def test_two_processes_that_write_at_once_leave_one_whole_blob(tmp_path: Path) -> None:
    path = tmp_path / "net"
    writers = [subprocess.Popen([sys.executable, "-c", _WRITER, str(path), letter]) for letter in "ab"]
    while any(writer.poll() is None for writer in writers):
        blob = read_blob(path, "key")
        assert blob is None or len(set(bytes(blob.bytes))) == 1
    assert [writer.wait() for writer in writers] == [0, 0]
    assert [entry.name for entry in tmp_path.iterdir()] == ["net"]


def test_what_a_killed_writer_left_is_cleared_away_in_time(tmp_path: Path) -> None:
    old, young = tmp_path / ".net.00000000", tmp_path / ".net.11111111"
    for left_behind in (old, young):
        left_behind.write_bytes(b"half")
    yesterday = time.time() - 86_400
    os.utime(old, (yesterday, yesterday))
    write_blob(tmp_path / "net", "key", CONTENT)
    assert not old.exists()
    assert young.exists()
