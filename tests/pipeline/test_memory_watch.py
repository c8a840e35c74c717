from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.memory_watch import MachineMemory, MemoryWatch, _group_memory, machine_memory, own_memory_mb

S = 1_000_000_000


class Machine:
    """One whose memory and clock stand where they are put."""

    def __init__(self, total_mb: float = 8000, free_mb: float = 4000) -> None:
        self.memory = MachineMemory(total_mb, free_mb)
        self.used_mb = {1: 100.0, 2: 300.0}
        self.now_ns = 0

    def watch(self, limit_mb: float = 0) -> MemoryWatch:
        return MemoryWatch(
            limit_mb,
            own_mb=lambda pid: self.used_mb.get(pid),
            machine=lambda: self.memory,
            clock_ns=lambda: self.now_ns,
        )

    def look(self, watch: MemoryWatch, after_s: int = 10) -> dict[str, str]:
        """Who is to be started anew."""
        self.now_ns += after_s * S
        return {each.process: each.why for each in watch.look({"detect": 1, "lookup": 2}) if each.has_grown}


def test_who_has_grown_above_the_limit_is_named() -> None:
    machine = Machine()
    watch = machine.watch(limit_mb=450)
    assert machine.look(watch) == {}
    machine.used_mb[2] = 500
    assert machine.look(watch, after_s=61) == {"lookup": "uses 500 MB, more than 450"}
    machine.used_mb[2] = 400
    assert machine.look(watch) == {}


def test_the_usual_limit_is_a_quarter_of_the_machine_and_at_least_a_gigabyte() -> None:
    for total_mb, limit_mb in ((8000, 2000), (2000, 1000)):
        machine = Machine(total_mb)
        watch = machine.watch()
        assert machine.look(watch) == {}
        machine.used_mb = {1: limit_mb - 1, 2: limit_mb + 1}
        assert list(machine.look(watch, after_s=61)) == ["lookup"]


def test_who_is_above_the_limit_since_its_start_is_told_of_once_and_let_be() -> None:
    machine = Machine()
    watch = machine.watch(limit_mb=250)
    found = []
    for _ in range(100):
        machine.now_ns += 10 * S
        found += watch.look({"detect": 1, "lookup": 2})
    assert [(each.process, each.has_grown) for each in found] == [("lookup", False)]
    assert "300 MB, more than 250" in found[0].why
    machine.used_mb[2] = 400
    assert list(machine.look(watch)) == ["lookup"]


def test_who_grows_after_every_start_is_named_every_ten_minutes() -> None:
    machine = Machine()
    watch = machine.watch(limit_mb=250)
    named_s = []
    for minute in range(31):
        pid = 10 + minute // 2  # it lives for two minutes, and leaks in the second
        machine.used_mb = {pid: 100.0 if minute % 2 == 0 else 400.0}
        machine.now_ns = minute * 61 * S
        named_s += [minute for each in watch.look({"draw": pid}) if each.has_grown]
    assert named_s == [1, 11, 21]


def test_when_the_machine_runs_short_the_one_that_has_grown_most_is_named_and_then_there_is_time() -> None:
    machine = Machine()
    watch = machine.watch()
    assert machine.look(watch) == {}
    machine.used_mb = {1: 250.0, 2: 310.0}
    machine.memory = MachineMemory(8000, 300)
    assert machine.look(watch) == {"detect": "has grown to 250 MB, and the machine has 300 MB left"}
    assert [machine.look(watch) for _ in range(5)] == [{}] * 5
    assert list(machine.look(watch)) == ["detect"]


def test_it_looks_only_now_and_then() -> None:
    machine = Machine()
    watch = machine.watch(limit_mb=150)
    assert machine.look(watch) == {}
    machine.used_mb[1] = 500
    assert machine.look(watch, after_s=61)
    machine.used_mb[2] = 500
    assert watch.look({"lookup": 2}) == []


OWN_MEMORY = """
import os, sys
import numpy as np
from pathlib import Path
from pipeline.memory_watch import own_memory_mb
before = own_memory_mb(os.getpid())
held = np.ones(40_000_000, np.uint8)
after = own_memory_mb(os.getpid())
held.tofile(sys.argv[1])
mapped = np.memmap(sys.argv[1], mode="r")
assert int(mapped.sum()) == held.size
print(after - before, own_memory_mb(os.getpid()) - after)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux")
def test_what_a_process_writes_is_its_own_and_a_file_that_it_maps_is_not(tmp_path: Path) -> None:
    words = [sys.executable, "-c", OWN_MEMORY, str(tmp_path / "f")]
    said = subprocess.run(words, capture_output=True, text=True, check=True, timeout=60).stdout
    written_mb, mapped_mb = map(float, said.split())
    assert 39 < written_mb < 60
    assert mapped_mb < 20
    assert own_memory_mb(2**22 + 1) is None


def test_a_container_has_the_memory_of_its_group(tmp_path: Path) -> None:
    assert _group_memory(tmp_path) is None
    (tmp_path / "memory.max").write_text("max\n")
    (tmp_path / "memory.current").write_text("600000000\n")
    (tmp_path / "memory.stat").write_text("anon 1\ninactive_file 100000000\nactive_file 0\n")
    assert _group_memory(tmp_path) is None
    (tmp_path / "memory.max").write_text("1000000000\n")
    assert _group_memory(tmp_path) == MachineMemory(1000, 500)
    machine = machine_memory()
    assert machine is None or 0 < machine.free_mb <= machine.total_mb
