from __future__ import annotations

import multiprocessing
from collections.abc import Iterable
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from pipeline.lines import Lines, WholeLines, rewrite

SPAWN = multiprocessing.get_context("spawn")


def drop(path: Path, word: bytes) -> None:
    rewrite(path, lambda lines: [line for line in lines if word not in line])


def test_who_has_the_file_open_goes_on_in_the_new_one(tmp_path: Path) -> None:
    path = tmp_path / "e"
    one, other = Lines(path), Lines(path)
    one.append(b"keep 1")
    other.append(b"drop 2")
    drop(path, b"drop")
    other.append(b"keep 3")
    one.append(b"keep 4")
    assert path.read_bytes() == b"keep 1\nkeep 3\nkeep 4\n"
    one.close()
    other.close()


def test_a_file_that_somebody_has_removed_is_made_again(tmp_path: Path) -> None:
    lines = Lines(tmp_path / "e")
    lines.append(b"1")
    (tmp_path / "e").unlink()
    lines.append(b"2")
    assert (tmp_path / "e").read_bytes() == b"2\n"
    lines.close()


def test_a_half_line_is_ended_and_not_mixed_with_the_next(tmp_path: Path) -> None:
    (tmp_path / "e").write_bytes(b"whole\nhal")
    lines = Lines(tmp_path / "e")
    lines.append(b"next")
    assert list(WholeLines(tmp_path / "e")) == [b"whole", b"hal", b"next"]
    lines.close()


def test_a_rewrite_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    (tmp_path / "e").write_bytes(b"a\nb\n")

    def broken(lines: Iterable[bytes]) -> Iterable[bytes]:
        yield next(iter(lines))
        raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError):
        rewrite(tmp_path / "e", broken)
    assert (tmp_path / "e").read_bytes() == b"a\nb\n"
    assert [path.name for path in tmp_path.iterdir()] == ["e"]


def test_the_end_and_the_rights_stay(tmp_path: Path) -> None:
    lines = Lines(tmp_path / "e", mode=0o600)
    for number in range(100):
        lines.append(f"line {number}".encode())
    assert lines.end(17) == b"\nline 98\nline 99\n"
    before = lines.identity()
    drop(tmp_path / "e", b"line 5")
    assert lines.identity() != before
    assert (tmp_path / "e").stat().st_mode & 0o777 == 0o600
    lines.close()


def _write_on(path: Path, mark: str, go: Connection) -> None:
    lines = Lines(path)
    go.send("ready")
    for number in range(2000):
        lines.append(f"{mark} {number}".encode())
    go.send("done")


def test_no_line_is_lost_while_the_file_is_rewritten_again_and_again(tmp_path: Path) -> None:
    path = tmp_path / "e"
    here, there = SPAWN.Pipe()
    writer = SPAWN.Process(target=_write_on, args=(path, "keep", there))
    writer.start()
    assert here.recv() == "ready"
    own = Lines(path)
    rounds = 0
    while not here.poll():
        own.append(b"drop")
        drop(path, b"drop")
        rounds += 1
    writer.join()
    assert rounds
    assert list(WholeLines(path)) == [f"keep {number}".encode() for number in range(2000)]
    own.close()
    here.close()
    there.close()
    writer.close()
