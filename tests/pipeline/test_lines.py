from __future__ import annotations

import errno
import multiprocessing
import os
import signal
from collections.abc import Iterable
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from pipeline.lines import Lines, WholeLines, rewrite, sweep

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


def test_a_file_that_is_rewritten_stays_as_old_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "e"
    path.write_bytes(b"keep\ndrop\n")
    os.utime(path, (1000, 2000))
    drop(path, b"drop")
    assert path.read_bytes() == b"keep\n"
    assert path.stat().st_mtime == 2000


def _stop_in_the_middle(path: Path, said: Connection) -> None:
    def chosen(lines: Iterable[bytes]) -> Iterable[bytes]:
        yield from lines
        said.send("in the middle")
        said.recv()

    rewrite(path, chosen)


def kill_in_the_middle(path: Path) -> None:
    here, there = SPAWN.Pipe()
    rewriting = SPAWN.Process(target=_stop_in_the_middle, args=(path, there))
    rewriting.start()
    assert here.recv() == "in the middle"
    assert rewriting.pid is not None
    os.kill(rewriting.pid, signal.SIGKILL)
    rewriting.join()
    rewriting.close()
    here.close()
    there.close()


def test_what_a_killed_rewriting_has_left_goes_with_the_next_one(tmp_path: Path) -> None:
    path = tmp_path / "e"
    path.write_bytes(b"keep\ndrop\n")
    kill_in_the_middle(path)
    assert len(list(tmp_path.iterdir())) == 2
    drop(path, b"drop")
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_bytes() == b"keep\n"


def test_what_a_killed_rewriting_has_left_is_swept_up_with_and_without_its_file(tmp_path: Path) -> None:
    path, other = tmp_path / "e", tmp_path / ".other.12"
    other.touch()
    for is_there in (True, False):
        path.write_bytes(b"keep\n")
        kill_in_the_middle(path)
        if not is_there:
            path.unlink()
        sweep(path)
        assert sorted(tmp_path.iterdir()) == ([other, path] if is_there else [other])


def test_a_half_line_that_a_full_disk_leaves_unended_costs_no_open_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "e").write_bytes(b"hal")

    def full(_fd: int, _data: bytes) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    free = os.open(tmp_path, os.O_RDONLY)
    os.close(free)
    monkeypatch.setattr("pipeline.lines.os.write", full)
    with pytest.raises(OSError, match="No space"):
        Lines(tmp_path / "e")
    monkeypatch.undo()
    assert os.open(tmp_path, os.O_RDONLY) == free, "the lowest number that is free is given first"
    os.close(free)
    drop(tmp_path / "e", b"x")  # and the lock is free


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
