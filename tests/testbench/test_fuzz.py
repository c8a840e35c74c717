"""No reader answers an almost valid input with anything but its own error; and the fuzzer finds those that do."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from checkpoints.errors import UserError
from testbench import fuzz
from testbench.fuzz_targets import Target, targets
from testbench.mutation import LARGEST_BYTES, mutated

INPUTS = 150


@pytest.mark.filterwarnings("ignore")  # NumPy warns of numbers that are too large, and goes on
def test_nothing_crashes(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("CRITICAL")
    outcomes = [fuzz.fuzz(one, random.Random(one.name), inputs=INPUTS) for one in targets(tmp_path)]
    assert len(outcomes) >= 29
    assert {one.target: one.crashes for one in outcomes if one.crashes} == {}
    assert {one.inputs for one in outcomes} == {INPUTS}
    assert sum(one.refused for one in outcomes) > 10 * INPUTS, "what is damaged is refused, not taken"


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


def test_a_reader_that_does_not_return_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fuzz, "HANG_S", 0.2)

    def read(data: bytes) -> None:
        while data != b"right":
            pass

    outcome = fuzz.fuzz(Target("slow", (b"right",), read), random.Random(1), inputs=2)
    assert [place.split()[0] for place in outcome.crashes] == ["Hang"]


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
