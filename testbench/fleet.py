"""A fleet on a real cluster of Ray on this machine, one of its nodes killed: until all cameras are back, what is lost.

    python -m testbench.fleet --nodes 3 --cameras 12 --kill-one --json fleet.json
    python -m testbench.fleet --nodes 3 --cameras 12 --source clip.mp4 --kill-one

Each camera is a file (or the demo) that is played in real time, at a low rate; faces in it are told of with each frame.
The node is killed as when its plug is pulled, and nothing on its disk reaches the fleet's store any more.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from app.extra import need_fleet
from checkpoints.exit_code import exit_code
from testbench.figures import tell
from testbench.fleet_run import FleetRun, Shape
from testbench.fleet_verdict import Verdict, judged


def measure(args: argparse.Namespace, folder: Path) -> Verdict:
    shape = Shape(
        nodes=args.nodes,
        cameras=args.cameras,
        source=args.source,
        fps=args.fps,
        size=args.size,
        models=args.models,
        engines=args.cache,
    )
    with FleetRun(folder, shape) as run:
        run.begin()
        run.calm(args.calm)
        if args.kill_one:
            run.kill_fullest()
            run.wait_until_back()
            run.calm(args.calm)
        run.end()
    return judged(run)


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="python -m testbench.fleet", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument("--nodes", type=int, default=3, help="the first has the fleet's store (%(default)s)")
    made.add_argument("--cameras", type=int, default=12, help="(%(default)s)")
    made.add_argument("--kill-one", action="store_true", help="the node with most cameras, but the first")
    made.add_argument("--source", default="demo", help="what all cameras see (%(default)s)")
    made.add_argument("--fps", type=float, default=2.0, help="of each camera (%(default)s)")
    made.add_argument("--size", default="320x180", help="working size, WxH (%(default)s)")
    made.add_argument("--calm", type=float, default=8.0, help="seconds before the kill and after it (%(default)s)")
    made.add_argument("--models", type=Path, default=Path("data/models"))
    made.add_argument("--cache", type=Path, default=Path("data/engines"))
    made.add_argument("--json", type=Path, help="write the verdict here too")
    return made


def main(arguments: list[str] | None = None) -> int:
    args = parser().parse_args(arguments)
    return exit_code(lambda: _measure(args))


def _measure(args: argparse.Namespace) -> int:
    need_fleet("testbench.fleet")
    with tempfile.TemporaryDirectory(prefix="facewire-fleet-") as folder:
        verdict = measure(args, Path(folder))
    tell(asdict(verdict), args.json)
    return 0 if verdict.clean else 1


if __name__ == "__main__":
    sys.exit(main())
