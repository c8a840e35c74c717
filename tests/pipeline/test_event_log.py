from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from checkpoints.errors import OutputError
from pipeline import lines
from pipeline.event_log import EventLog
from pipeline.waiting_lines import WaitingLines


class Disk:
    """`os.write` of a disk with so many bytes left."""

    def __init__(self) -> None:
        self.left: int | None = None

    def write(self, fd: int, data: bytes) -> int:
        if self.left is None:
            return _write(fd, data)
        if self.left == 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written = _write(fd, data[: self.left])
        self.left -= written
        return written


_write = os.write


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Disk]:
    made = Disk()
    monkeypatch.setattr(lines.os, "write", made.write)
    yield made
    made.left = None


def told(path: Path) -> list[object]:
    return [json.loads(line)["n"] for line in path.read_bytes().splitlines()]


def test_events_wait_while_the_disk_is_full_and_keep_their_order(tmp_path: Path, disk: Disk) -> None:
    log = EventLog(tmp_path / "e", waits=True)
    log.append({"n": 0})
    disk.left = 5
    for n in range(1, 30):
        log.append({"n": n})
    assert told(tmp_path / "e") == [0], "no half line is left behind"
    assert "wait in memory" in str(log.write_waiting())
    assert log.write_waiting() is None, "it is told once"
    disk.left = None
    assert log.write_waiting(at_once=True) == "events are written again, and so are those that had to wait"
    log.append({"n": 30})
    assert told(tmp_path / "e") == list(range(31))
    log.close()


def test_a_run_of_files_is_told_at_once(tmp_path: Path, disk: Disk) -> None:
    log = EventLog(tmp_path / "e")
    disk.left = 3
    with pytest.raises(OutputError, match="no longer"):
        log.append({"n": 1})
    disk.left = None
    log.append({"n": 2})
    assert told(tmp_path / "e") == [2]
    log.close()


def test_events_that_are_lost_at_the_end_are_told(tmp_path: Path, disk: Disk) -> None:
    log = EventLog(tmp_path / "e", waits=True)
    disk.left = 0
    log.append({"n": 1})
    with pytest.raises(OutputError) as raised:
        log.close()
    assert "1 events are lost" in str(raised.value)


def test_a_stage_that_comes_back_while_the_disk_is_full_opens_its_log(tmp_path: Path, disk: Disk) -> None:
    path = tmp_path / "e"
    path.write_bytes(b'{"n": 1}\n{"n": 2')
    disk.left = 0
    log = EventLog(path, waits=True)
    assert log.tail() == []
    log.append({"n": 3})
    disk.left = None
    log.write_waiting(at_once=True)
    log.close()
    assert path.read_bytes() == b'{"n": 1}\n{"n": 2\n{"n": 3}\n'


def test_a_log_that_a_full_disk_does_not_make_is_made_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_path: Path, _flags: int, _mode: int) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as full:
        full.setattr(lines.os, "open", refuse)
        log = EventLog(tmp_path / "e", waits=True)
        log.append({"n": 1})
    log.write_waiting(at_once=True)
    log.close()
    assert told(tmp_path / "e") == [1]


def test_a_folder_that_is_not_there_is_told_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(OutputError):
        EventLog(tmp_path / "nowhere" / "e", waits=True)


def test_too_many_lines_lose_the_oldest_and_it_is_said_how_many() -> None:
    waiting = WaitingLines(most=3)

    def refuse(_line: bytes) -> None:
        raise OSError(errno.ENOSPC, "full")

    for n in range(5):
        waiting.add(b"%d" % n)
        waiting.write_out(refuse, at_once=True)
    assert waiting.news() is not None
    written: list[bytes] = []
    waiting.write_out(written.append, at_once=True)
    assert written == [b"2", b"3", b"4"]
    assert str(waiting.news()).endswith("2 were too many and are lost")
    assert waiting.news() is None


def test_the_disk_is_asked_once_a_second() -> None:
    now_ns, asked = 0, 0

    def refuse(_line: bytes) -> None:
        nonlocal asked
        asked += 1
        raise OSError(errno.ENOSPC, "full")

    waiting = WaitingLines(clock_ns=lambda: now_ns)
    for now_ns in range(0, 3_000_000_000, 10_000_000):  # noqa: B007  (the clock reads it)
        waiting.add(b"line")
        waiting.write_out(refuse)
    assert asked == 3
