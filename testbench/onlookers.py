"""What browsers that look at the live picture cost the pipeline, beside the same run that nobody looks at.

    python -m testbench.onlookers --source clip.mp4 --size 1280x720 --json onlookers.json
    python -m testbench.onlookers --source clip.mp4 --browsers 6 --turns 5

The whole program with its console runs in turn without and with browsers, at the pace of a camera. A browser here takes
what is sent as fast as it comes and paints nothing, as one on another machine would cost this one; the process that
takes it shares this machine and is counted against the program. One more connection asks for the live picture and
never reads: the console's memory is read at the beginning and at the end of that turn.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from checkpoints.exit_code import exit_code
from testbench.figures import tell
from testbench.live_viewer import Viewer, WatchedRun

_SETTLED = 0.2  # of a turn's frames, before memory is looked at for the first time


@dataclass(frozen=True, slots=True)
class Turn:
    """pictures       that each browser was given, in frames a second
    console_mb     resident memory of the console's process, after the beginning and at the end
    """

    fps: float
    p99_ms: float
    dropped: int
    pictures_fps: float
    console_mb: tuple[float, float]


def measure(args: argparse.Namespace, browsers: int, *, deaf: bool = False) -> Turn:
    with tempfile.TemporaryDirectory(prefix="facewire-onlookers-") as folder, ExitStack() as stack:
        report = Path(folder) / "report.json"
        words = [
            *("--source", args.source, "--loop", "--realtime", args.realtime, "--frames", args.frames),
            *("--report", report, "--gallery", Path(folder) / "gallery"),
            *(("--size", args.size) if args.size else ()),
        ]
        run = stack.enter_context(WatchedRun([str(word) for word in words]))
        run.wait_for_frames(1)
        viewers = [stack.enter_context(Viewer(run.address)) for _ in range(browsers)]
        if deaf:
            stack.enter_context(Viewer(run.address, deaf=True))
        run.wait_for_frames(int(args.frames * _SETTLED))
        early_mb = late_mb = run.console_mb() or 0.0
        while run.alive:
            late_mb = run.console_mb() or late_mb
            run.wait(1.0)
        return _turn(json.loads(report.read_text()), viewers, (early_mb, late_mb))


def compare(args: argparse.Namespace) -> dict[str, object]:
    alone, watched = [], []
    for _ in tqdm(range(args.turns), desc="turns", unit="turn"):
        alone.append(measure(args, 0))
        watched.append(measure(args, args.browsers))
    deaf = measure(args, 0, deaf=True)
    return {
        "browsers": args.browsers,
        "turns": args.turns,
        "same_work": f"{args.frames} frames of {Path(args.source).name} at {args.realtime:g} frames a second",
        "without": _median(alone),
        "with": _median(watched),
        "fps_ratio": round(_middle(watched, "fps") / _middle(alone, "fps"), 3),
        "p99_ratio": round(_middle(watched, "p99_ms") / _middle(alone, "p99_ms"), 3),
        "never_reads": {"console_mb": deaf.console_mb, "grown_mb": round(deaf.console_mb[1] - deaf.console_mb[0], 1)},
    }


def _turn(report: dict[str, Any], viewers: list[Viewer], mb: tuple[float, float]) -> Turn:
    pictures_fps = statistics.mean(viewer.fps for viewer in viewers) if viewers else 0.0
    return Turn(report["fps"], report["latency_ms"]["total"]["p99"], sum(report["dropped"].values()), pictures_fps, mb)


def _median(turns: list[Turn]) -> dict[str, object]:
    return {
        "fps": _middle(turns, "fps"),
        "p99_ms": _middle(turns, "p99_ms"),
        "p99_ms_of_each": [turn.p99_ms for turn in turns],
        "dropped": [turn.dropped for turn in turns],
        "pictures_fps": round(_middle(turns, "pictures_fps"), 2),
    }


def _middle(turns: list[Turn], what: str) -> float:
    return float(statistics.median(getattr(turn, what) for turn in turns))


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m testbench.onlookers", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--source", required=True, help="a film")
    parser.add_argument("--size", help="working size, WxH")
    parser.add_argument("--realtime", type=float, default=25.0, metavar="FPS", help="(%(default)s)")
    parser.add_argument("--frames", type=int, default=750, help="of each turn (%(default)s)")
    parser.add_argument("--browsers", type=int, default=6, help="(%(default)s)")
    parser.add_argument("--turns", type=int, default=3, help="without and with, each (%(default)s)")
    parser.add_argument("--json", type=Path, help="write the figures here")
    args = parser.parse_args(arguments)

    def work() -> int:
        tell(compare(args), args.json)
        return 0

    return exit_code(work)


if __name__ == "__main__":
    sys.exit(main())
