"""Every reader is given what is almost right, until the time is over: how many inputs, and what has crashed.

python -m testbench.fuzz --seconds 60 [--only NAME] [--seed N] [--json]

The inputs follow from the seed, so that a crash can be met again. Exit code 1: something has crashed, or hung.
"""

from __future__ import annotations

import argparse
import json
import logging
import random
import signal
import sys
import tempfile
import traceback
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import FrameType

from pipeline.clock import now_ns
from testbench.fuzz_targets import Target, targets
from testbench.mutation import mutated

HANG_S = 5
_MEMORY_BYTES = 8 << 30  # so that a length that lies is a MemoryError and not the end of the machine


class Hang(BaseException):
    """No reader may catch it."""


@dataclass(slots=True)
class Outcome:
    """refused  inputs that were answered as they should be
    crashes  where → what was said, and an input that does it, as hex
    """

    target: str
    inputs: int = 0
    refused: int = 0
    crashes: dict[str, str] = field(default_factory=dict)


def fuzz(target: Target, chance: random.Random, *, until_ns: int = 0, inputs: int = 0) -> Outcome:
    """Until the time, or for so many inputs."""
    outcome = Outcome(target.name)
    for seed in target.seeds:  # what is right has to be taken: a reader that refuses everything is not tested
        target.read(seed)
    while outcome.inputs < inputs if inputs else now_ns() < until_ns:
        data = mutated(chance, chance.choice(target.seeds), chance.choice(target.seeds))
        outcome.inputs += 1
        try:
            with _limited():
                target.read(data)
        except target.refusals:
            outcome.refused += 1
        except (Exception, Hang) as error:  # noqa: BLE001 - to find them is what this is for
            outcome.crashes.setdefault(_place(error), f"{' '.join(str(error).split())[:100]}: {data[:4096].hex()}")
    return outcome


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m testbench.fuzz", description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=60.0, help="for all together")
    parser.add_argument("--only", metavar="NAME", default="", help="targets that have this in their name")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args(arguments)
    _prepare_process()
    with tempfile.TemporaryDirectory(prefix="facewire-fuzz-") as folder:
        chosen = [target for target in targets(Path(folder)) if args.only in target.name]
        outcomes = [
            fuzz(
                target,
                random.Random(f"{args.seed} {target.name}"),
                until_ns=now_ns() + int(args.seconds / len(chosen) * 1e9),
            )
            for target in chosen
        ]
    crashes = sum(len(outcome.crashes) for outcome in outcomes)
    print(json.dumps([asdict(one) for one in outcomes], indent=2) if args.json else _table(outcomes))  # noqa: T201
    return 1 if crashes or not outcomes else 0


def _table(outcomes: Sequence[Outcome]) -> str:
    lines = [f"{'what is read':<40} {'inputs':>9} {'refused':>8} {'crashes':>8}"]
    for one in outcomes:
        refused = one.refused / max(one.inputs, 1)
        lines.append(f"{one.target:<40} {one.inputs:>9,} {refused:>8.0%} {len(one.crashes):>8}")
        lines += [f"    {place}\n      {data[:400]}" for place, data in one.crashes.items()]
    total, crashes = sum(one.inputs for one in outcomes), sum(len(one.crashes) for one in outcomes)
    return "\n".join([*lines, f"{total:,} inputs to {len(outcomes)} readers, {crashes} crashes"])


def _place(error: BaseException) -> str:
    """Where in this program it happened: many inputs find the same fault."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "site-packages" not in frame.filename and "/lib/python" not in frame.filename]
    here = [frame for frame in ours if frame.filename != __file__] or ours
    return f"{type(error).__name__} at {Path(here[-1].filename).name}:{here[-1].lineno}"


@contextmanager
def _limited() -> Iterator[None]:
    """Where the system can: a reader that takes too long hangs."""
    if not hasattr(signal, "setitimer"):
        yield
        return

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise Hang(f"longer than {HANG_S} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, HANG_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _prepare_process() -> None:
    """It does nothing else: what readers log of bad inputs is not of interest."""
    logging.disable()
    warnings.simplefilter("ignore")
    if sys.platform == "linux":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))


if __name__ == "__main__":
    sys.exit(main())
