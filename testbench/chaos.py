"""Stages killed at bad moments, live and lossless: what is torn, lost, out of order, stuck or left behind.

    python -m testbench.chaos --seconds 60 --json chaos.json

With --faults, more is done to it than killing (`testbench.fault_table`), in endless runs, and a table tells what was
survived and lost:

    python -m testbench.chaos --seconds 600 --faults all
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sys
import tempfile
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from checkpoints.exit_code import exit_code
from engines.options import EngineOptions
from pipeline import wiring
from pipeline.clock import now_ns
from pipeline.config import (
    CameraConfig,
    CaptureConfig,
    GalleryConfig,
    OutputConfig,
    Placement,
    RunConfig,
    SuperviseConfig,
)
from pipeline.messages import Shown
from pipeline.system import System
from testbench import fault_table
from testbench.figures import tell
from testbench.left_behind import left_behind, snapshot
from testbench.passing import CROP_PX
from testbench.witness import DISORDER, TORN

STUCK_S = 20.0
CALM_S = 0.5  # of undisturbed running between a recovery and the next kill, at most


@dataclass(slots=True)
class Verdict:
    """recovered        kills after which the stage worked on a frame again
    max_recovery_s   from the kill to the first frame that the stage took up again
    """

    kills: dict[str, int] = field(default_factory=dict)
    recovered: int = 0
    max_recovery_s: float = 0.0
    recovery_s: dict[str, float] = field(default_factory=dict)
    torn: int = 0
    leaked: int = 0
    deadlocks: int = 0
    order_errors: int = 0
    lost: int = 0
    frames: int = 0
    said: list[str] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        return not (self.torn or self.leaked or self.deadlocks or self.order_errors or self.lost) and (
            self.recovered == sum(self.kills.values())
        )


class Campaign:
    """One run of the whole program, with kills until the time is up, then an orderly end."""

    def __init__(
        self, config: RunConfig, bus_only: bool, seconds: float, chance: random.Random, verdict: Verdict
    ) -> None:
        self._config = config
        self._module = "testbench.passing" if bus_only else "testbench.witness"
        self._end_ns = now_ns() + int(seconds * 1e9)
        self._chance = chance
        self._verdict = verdict
        self._last_seq: dict[str, int] = {}
        self._wounded: tuple[str, int] | None = None
        self._kill_at_ns: int | None = None
        self._victims: list[str] = []
        self._moved_ns = now_ns()

    def run(self) -> None:
        stages = tuple(replace(row, module=self._module) for row in wiring.STAGES)
        with System(self._config, CROP_PX, stages) as system:
            stopping = False
            while system.supervisor.running:
                self._take(system)
                if now_ns() - self._moved_ns > STUCK_S * 1e9:
                    self._verdict.deadlocks += 1
                    self._verdict.said.append(f"nothing moved for {STUCK_S:.0f} s; wounded: {self._wounded}")
                    return
                if now_ns() > self._end_ns and self._wounded is None:
                    if not stopping:
                        system.supervisor.ask_sources_to_stop()
                    stopping = True
                elif not stopping:
                    self._kill_if_time(system)
            self._take(system)
            self._count_lost(system)

    def _take(self, system: System) -> None:
        happened, shown = system.poll(0.02)
        for what in happened:
            self._verdict.torn += what.text.startswith(TORN)
            self._verdict.order_errors += what.text.startswith(DISORDER)
            if what.kind not in ("restarted", "frames"):
                self._verdict.said.append(f"[{what.process}] {what.kind}: {what.text}")
        for each in shown:
            self._check(each)

    def _check(self, shown: Shown) -> None:
        ref = shown.ref
        last = self._last_seq.get(ref.camera, -1)
        if ref.seq <= last or (self._config.capture.lossless and ref.seq != last + 1):
            self._verdict.order_errors += 1
            self._verdict.said.append(f"frame {ref.seq} of {ref.camera} reached its end after {last}")
        self._last_seq[ref.camera] = ref.seq
        self._verdict.frames += 1
        self._moved_ns = now_ns()
        if self._wounded is None:
            return
        process, killed_ns = self._wounded
        stage, _, camera = process.partition(":")
        stage = stage.split("+")[0]
        for visit in ref.visits:
            # The capture's own enter time is the moment the picture was due, which may lie before its death.
            at_ns = visit.left_ns if stage == "capture" else visit.entered_ns
            if visit.stage == stage and at_ns > killed_ns and camera in ("", ref.camera):
                self._recovered(process, (at_ns - killed_ns) / 1e9)
                return

    def _recovered(self, process: str, seconds: float) -> None:
        self._verdict.recovered += 1
        self._verdict.max_recovery_s = round(max(self._verdict.max_recovery_s, seconds), 3)
        before = self._verdict.recovery_s.get(process, 0.0)
        self._verdict.recovery_s[process] = round(max(before, seconds), 3)
        self._wounded = None
        self._kill_at_ns = now_ns() + int(self._chance.uniform(0.0, CALM_S) * 1e9)

    def _kill_if_time(self, system: System) -> None:
        if self._wounded is not None or not self._last_seq:
            return
        if self._kill_at_ns is None or now_ns() < self._kill_at_ns:
            self._kill_at_ns = self._kill_at_ns or now_ns()
            return
        if not self._victims:
            self._victims = [row.name for row in system.rows]
            self._chance.shuffle(self._victims)
        name = self._victims.pop()
        pid = system.supervisor.pids().get(name)
        if pid is None:
            return
        self._wounded = (name, now_ns())
        kills, victim = self._verdict.kills, name.partition(":")[0]
        kills[victim] = kills.get(victim, 0) + 1
        os.kill(pid, signal.SIGKILL)

    def _count_lost(self, system: System) -> None:
        """Lossless: each frame that a source gave must have reached its end."""
        if self._config.capture.lossless:
            for camera, captured in system.captured().items():
                self._verdict.lost += captured - 1 - self._last_seq.get(camera, -1)


def run(
    seconds: float, placement: Placement, cameras: int, seed: int, engines: EngineOptions, *, bus_only: bool
) -> Verdict:
    verdict = Verdict()
    chance = random.Random(seed)
    before = snapshot()
    for lossless in (False, True):
        with tempfile.TemporaryDirectory(prefix="facewire-chaos-") as folder:
            config = RunConfig(
                cameras=tuple(CameraConfig(f"cam{n}", "demo", "demo") for n in range(cameras)),
                placement=placement,
                capture=CaptureConfig(
                    size_wh=(640, 360), lossless=lossless, realtime_fps=None if lossless else 25.0, loop=True
                ),
                engines=engines,
                gallery=GalleryConfig(path=Path(folder) / "gallery"),
                output=OutputConfig(events=Path(folder) / "events.jsonl", record=Path(folder) / "record.mp4"),
                supervise=SuperviseConfig(max_restarts=10_000),
            )
            Campaign(config, bus_only, seconds / 2, chance, verdict).run()
    left = left_behind(before)
    verdict.leaked = len(left)
    verdict.said += left
    return verdict


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m testbench.chaos", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=60.0, help="half of them live, half lossless (%(default)s)")
    parser.add_argument("--placement", choices=("split", "fused"), default="split")
    parser.add_argument("--cameras", type=int, default=1)
    parser.add_argument("--bus-only", action="store_true", help="stages without models: the bus and supervision alone")
    parser.add_argument("--seed", type=int, default=1, help="of who is killed when (%(default)s)")
    parser.add_argument("--models", type=Path, default=Path("data/models"))
    parser.add_argument("--cache", type=Path, default=Path("data/engines"))
    parser.add_argument("--json", type=Path, help="write the verdict here too")
    parser.add_argument("--faults", type=fault_table.kinds, help=f"all, or some of {','.join(fault_table.KINDS)}")
    args = parser.parse_args(arguments)
    if args.faults is not None:
        return exit_code(lambda: _faults(args))
    engines = EngineOptions(models=args.models, cache=args.cache)
    verdict = run(args.seconds, args.placement, args.cameras, args.seed, engines, bus_only=args.bus_only)
    text = json.dumps(asdict(verdict), indent=2)
    sys.stdout.write(text + "\n")
    if args.json is not None:
        args.json.write_text(text + "\n")
    return 0 if verdict.clean else 1


def _faults(args: argparse.Namespace) -> int:
    more = ["--seed", str(args.seed), "--models", str(args.models), "--cache", str(args.cache)]
    with tempfile.TemporaryDirectory(prefix="facewire-chaos-") as folder:
        rows = fault_table.suffer(args.faults, args.seconds, more, Path(folder))
    sys.stderr.write(fault_table.table(rows) + "\n")
    tell({"seconds": args.seconds, "faults": rows}, args.json)
    return 0 if all(row["clean"] for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
