"""No reader answers an almost valid input with anything but its own error; and the fuzzer finds those that do."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from checkpoints.errors import UserError
from testbench import fuzz
from testbench.fuzz_targets import Target
from testbench.mutation import LARGEST_BYTES, mutated

INPUTS = 150


EVERY_READER = f"""
import json, logging, random, sys, warnings
from dataclasses import asdict
from pathlib import Path
from testbench import fuzz
from testbench.fuzz_targets import targets
logging.disable()
warnings.simplefilter("ignore")  # NumPy warns of numbers that are too large, and goes on
outcomes = [fuzz.fuzz(one, random.Random(one.name), inputs={INPUTS}) for one in targets(Path(sys.argv[1]))]
print(json.dumps([asdict(one) for one in outcomes]))
"""
HANGING = """
import random
from testbench import fuzz
from testbench.fuzz_targets import Target
fuzz.HANG_S = 0.2
def read(data):
    while data != b"right":
        pass
print([place.split()[0] for place in fuzz.fuzz(Target("slow", (b"right",), read), random.Random(1), inputs=2).crashes])
"""


def in_a_process_of_its_own(script: str, *words: str) -> str:
    """Readers of foreign code may crash a process, and a signal is for one that does nothing else."""
    command = [sys.executable, "-X", "faulthandler", "-c", script, *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=150)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_nothing_crashes(tmp_path: Path) -> None:
    outcomes = json.loads(in_a_process_of_its_own(EVERY_READER, str(tmp_path)))
    assert len(outcomes) >= 29
    assert {one["target"]: one["crashes"] for one in outcomes if one["crashes"]} == {}
    assert {one["inputs"] for one in outcomes} == {INPUTS}
    assert sum(one["refused"] for one in outcomes) > 10 * INPUTS, "what is damaged is refused, not taken"


def test_a_crash_is_found_once_with_an_input_that_does_it() -> None:
    def read(data: bytes) -> None:
        if data[:1] != b"{":
            raise UserError("This is refused.")
        if b"9" in data:
            raise KeyError("a bug")

    outcome = fuzz.fuzz(Target("faulty", (b'{"a": 1}',), read), random.Random(1), inputs=2000)
    ((place, said),) = outcome.crashes.items()
    assert place.startswith("KeyError at test_fuzz.py:")
    assert outcome.refused > 50
    with pytest.raises(KeyError):
        read(bytes.fromhex(said.rpartition(": ")[2]))


def test_a_reader_that_does_not_return_hangs() -> None:
    assert in_a_process_of_its_own(HANGING) == "['Hang']\n"


def test_a_reader_that_refuses_what_is_right_is_not_fuzzed() -> None:
    def read(_: bytes) -> None:
        raise UserError("This is refused.")

    with pytest.raises(UserError):
        fuzz.fuzz(Target("too strict", (b"right",), read), random.Random(1), inputs=2)


def test_inputs_follow_from_the_seed_and_stay_small() -> None:
    def some(seed: int) -> list[bytes]:
        chance = random.Random(seed)
        return [mutated(chance, b'{"key": [1, 2.5, "text"]}', b"other") for _ in range(300)]

    assert some(1) == some(1) != some(2)
    assert len(set(some(1))) > 250
    assert max(map(len, some(1))) <= LARGEST_BYTES


def test_the_table_and_the_exit_code_tell_what_was_found(capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def crashing(_: bytes) -> None:
        raise KeyError("a bug")

    quiet = Target("quiet", (b"x",), len)
    monkeypatch.setattr(fuzz, "_prepare_process", lambda: None)
    monkeypatch.setattr(fuzz, "targets", lambda _: iter([quiet]))
    assert fuzz.main(["--seconds", "0.05", "--json"]) == 0
    (told,) = json.loads(capsys.readouterr().out)
    assert told["target"] == "quiet" and told["inputs"] > 0 and told["crashes"] == {}
    monkeypatch.setattr(fuzz, "targets", lambda _: iter([Target("loud", (b"x",), _once_right(crashing))]))
    assert fuzz.main(["--seconds", "0.05"]) == 1
    assert "KeyError at" in capsys.readouterr().out


def _once_right(read: Any) -> Any:
    """The seed is taken, all else is not."""
    return lambda data: None if data == b"x" else read(data)
