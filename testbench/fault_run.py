"""One endless run under one kind of fault, and what it has cost: who was told of a frame, and whether it was kept.

    python -m testbench.fault_run kill --seconds 60

What counts as acknowledged: a frame that the detector has taken, an event whose frame reached its end, an event in
the file, a person whose enrolment was answered.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from checkpoints.exit_code import exit_code
from engines.options import EngineOptions
from pipeline import wiring
from pipeline.clock import now_ns
from pipeline.messages import Shown
from pipeline.outlets.store import Store
from pipeline.outlets.stored import Wanted
from pipeline.system import System
from testbench.fault_stage import Play, stage
from testbench.faults import Fault
from testbench.passing import CROP_PX
from testbench.witness import DISORDER, TORN

STUCK_S = 40.0
CALM_S = 1.0  # of undisturbed running between a recovery and the next fault
OUTLETS = wiring.SideRow("outlets", "pipeline.outlets.side")


@dataclass(slots=True)
class Outcome:
    """recovery_s       from the end of each fault to a frame captured after it, its events and all that was missing
    longest_gap_s    without any frame at the end of the way, while the fault lasted and after it
    frames_lost      that the detector had taken
    events_lost      of frames that reached their end, or in the file and not in the store
    changes_lost     of the gallery
    """

    kind: str
    times: int = 0
    survived: int = 0
    recovery_s: list[float] = field(default_factory=list)
    longest_gap_s: float = 0.0
    frames: int = 0
    frames_lost: int = 0
    events: int = 0
    events_lost: int = 0
    changes_lost: int = 0
    torn: int = 0
    disorder: int = 0
    did: dict[str, int] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        wrong = self.frames_lost + self.events_lost + self.changes_lost + self.torn + self.disorder
        return self.times > 0 and self.survived == self.times and not wrong

    def as_json(self) -> dict[str, object]:
        some = self.recovery_s or [0.0]
        middle, most = round(statistics.median(some), 3), round(max(some), 3)
        return {**asdict(self), "recovery_s": {"median": middle, "max": most}, "clean": self.clean}


class FaultRun:
    def __init__(self, play: Play, outcome: Outcome) -> None:
        self._play = play
        self._outcome = outcome
        self._log = play.config.output.events
        self._did: Counter[str] = Counter()
        self._told: set[tuple[str, int]] = set()  # frames with faces that reached their end
        self._newest_ns = self._shown_ns = now_ns()

    def run(self, seconds: float) -> None:
        stages = tuple(replace(row, module="testbench.witness") for row in wiring.STAGES)
        with System(self._play.config, CROP_PX, stages, (OUTLETS,)) as system:
            self._until(system, lambda: self._outcome.frames > 25)
            end_ns = now_ns() + int(seconds * 1e9)
            fault = self._play.fault(system.supervisor.pids)
            while now_ns() < end_ns and self._suffer(system, fault):
                pass
            system.supervisor.ask_sources_to_stop()
            self._until(system, lambda: not system.supervisor.running)
            lost = {stage: n for stage, n in system.dropped().items() if stage != "detect"}
            self._outcome.frames_lost = sum(lost.values())
        self._outcome.did = dict(self._did)
        self._count_events()

    def _suffer(self, system: System, fault: Fault) -> bool:
        """One fault, and what comes after it; False when the run is not what it was."""
        outcome = self._outcome
        self._wait(system, CALM_S)
        outcome.times += 1
        self._did[fault.begin()] += 1
        until_ns = now_ns() + int(fault.lasts_s * 1e9)
        while now_ns() < until_ns:
            fault.hold()
            self._take(system)
        fault.end()
        ended_ns, size = now_ns(), self._size()
        if not self._until(
            system, lambda: self._newest_ns > ended_ns and self._size() > size and not self._play.missing()
        ):
            return False
        outcome.survived += 1
        outcome.recovery_s.append(round((now_ns() - ended_ns) / 1e9, 3))
        return True

    def _until(self, system: System, is_so: Callable[[], object]) -> bool:
        start_ns = now_ns()
        while not is_so():
            if now_ns() - start_ns > STUCK_S * 1e9:
                self._outcome.said.append(f"nothing came back within {STUCK_S:.0f} s")
                return False
            self._take(system)
        return True

    def _wait(self, system: System, seconds: float) -> None:
        until_ns = now_ns() + int(seconds * 1e9)
        while now_ns() < until_ns:
            self._take(system)

    def _take(self, system: System) -> None:
        happened, shown = system.poll(0.02)
        for what in happened:
            self._outcome.torn += what.text.startswith(TORN)
            self._outcome.disorder += what.text.startswith(DISORDER)
            if what.kind not in ("restarted", "away", "frames", "disk", "said", "rests", "tried"):
                self._outcome.said.append(f"[{what.process}] {what.kind}: {what.text}")
        for each in shown:
            self._see(each)

    def _see(self, shown: Shown) -> None:
        now = now_ns()
        self._outcome.frames += 1
        if self._outcome.times:
            gap_s = (now - self._shown_ns) / 1e9
            self._outcome.longest_gap_s = round(max(self._outcome.longest_gap_s, gap_s), 3)
        self._shown_ns = now
        self._newest_ns = max(self._newest_ns, shown.ref.captured_ns) if self._outcome.frames > 1 else 0
        if shown.faces:
            self._told.add((shown.ref.camera, shown.ref.seq))

    def _size(self) -> int:
        assert self._log is not None
        return self._log.stat().st_size if self._log.exists() else 0

    def _count_events(self) -> None:
        """In the file each frame with faces that reached its end, in the store each line of the file."""
        assert self._log is not None
        assert self._play.config.outlets is not None
        there, lines = set(), 0
        for line in self._log.read_bytes().splitlines():
            with suppress(ValueError):  # the half line of a writer that was killed
                event = json.loads(line)
                lines += 1
                there.add((event.get("camera"), event.get("frame")))
        stored = Store(self._play.config.outlets.store).count(Wanted(kind=None))
        self._outcome.events = lines
        self._outcome.events_lost = len(self._told - there) + max(0, lines - stored)
        self._outcome.changes_lost = len(self._play.missing())


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m testbench.fault_run", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("kind")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="where the run writes; for `disk` a disk of its own")
    parser.add_argument("--clock", type=Path, help="the file that libfaketime reads")
    parser.add_argument("--models", type=Path, default=Path("data/models"))
    parser.add_argument("--cache", type=Path, default=Path("data/engines"))
    parser.add_argument("--json", type=Path, required=True)
    args = parser.parse_args(arguments)
    return exit_code(lambda: _suffer(args))


def _suffer(args: argparse.Namespace) -> int:
    engines = EngineOptions(models=args.models, cache=args.cache)
    outcome = Outcome(args.kind)
    with tempfile.TemporaryDirectory(prefix="facewire-faults-") as made:
        folder = args.folder or Path(made)
        with stage(args.kind, folder, engines, random.Random(args.seed), args.clock) as play:
            FaultRun(play, outcome).run(args.seconds)
    args.json.write_text(json.dumps(outcome.as_json(), indent=2) + "\n")
    return 0 if outcome.clean else 1


if __name__ == "__main__":
    sys.exit(main())
