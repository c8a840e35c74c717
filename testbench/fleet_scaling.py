"""How a fleet grows: frames a second of 1 and 2 real nodes, of 1 to 8 simulated ones, and what the store can take.

    python -m testbench.fleet_scaling --json scaling.json

A real node has one processor for itself, on which one camera's whole run works as fast as it can. A simulated node has
cameras whose frames take a fixed time (`fixed_cost_run`); all else is as in a fleet: Ray's nodes and actors, the
control, the events and their store, on the two processors of this machine.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from app.extra import need_fleet
from app.fleet.collect import Collecting
from checkpoints.exit_code import exit_code
from pipeline.clock import utc_iso
from pipeline.outlets.collector import Collector
from testbench.figures import tell

_BATCH = 200


def real(args: argparse.Namespace, folder: Path) -> dict[str, float]:
    """Nodes → frames a second, of all cameras together."""
    from testbench.scaled_fleet import ScaledFleet

    found = {}
    chosen = {"LOSSLESS": "true", "LOOP": "true", "PLACEMENT": "fused", "THREADS": "1", "FRAME_SIZE": args.size}
    for nodes in (1, 2):
        own = folder / f"real{nodes}"
        own.mkdir()
        with ScaledFleet(own, args.models, args.cache, nodes=nodes, pinned=True) as fleet:
            fleet.begin([args.source] * nodes, chosen)
            found[str(nodes)] = fleet.frames_per_s(args.seconds)
    return found


def simulated(args: argparse.Namespace, folder: Path) -> dict[str, dict[str, float]]:
    """Nodes → frames a second, the processors' time that all took, and how long the control took to look once."""
    from testbench.scaled_fleet import FixedCostWarden, ScaledFleet

    found = {}
    for nodes in (1, 2, 4, 8):
        own = folder / f"simulated{nodes}"
        own.mkdir()
        with ScaledFleet(own, args.models, args.cache, nodes=nodes, kind=FixedCostWarden) as fleet:
            fleet.begin([f"{args.frame_ms:g}"] * (nodes * args.cameras), {})
            found[str(nodes)] = {
                "fps": fleet.frames_per_s(args.seconds),
                "look_ms": fleet.look_ms(),
                "events_missing": fleet.events_missing(),
            }
    return found


def store_events_per_s(folder: Path, seconds: float) -> float:
    """What the store takes, posted by one camera after the other as fast as they can."""
    from app.fleet.front import Front, Pages
    from pipeline.config import CollectorConfig
    from pipeline.outlets.stored import StoredEvent

    collecting = Collecting(folder / "store")
    front = Front("127.0.0.1", 0, Pages(collecting.take, dict, str, str), secret="s" * 32, token="t" * 32)
    collector = Collector(CollectorConfig(f"http://127.0.0.1:{front.port}/events", "s" * 32))
    run, began_s, number = f"{utc_iso()}-ab", time.monotonic(), 0
    while (passed_s := time.monotonic() - began_s) < seconds:
        events = []
        for _ in range(_BATCH):
            number += 1
            body = {"type": "identity", "camera": f"cam{number % 50}", "frame": number, "t": utc_iso(), "track": 1}
            events.append(StoredEvent(number, f"{number}", 0, {**body, "name": None, "state": "unknown", "run": run}))
        collector.tell(events)
    collector.close()
    front.close()
    return number / passed_s


def measure(args: argparse.Namespace, folder: Path) -> dict[str, object]:
    frames, stand_ins = real(args, folder), simulated(args, folder)
    one = stand_ins["1"]["fps"]
    return {
        "real_fps": frames,
        "real_efficiency": {nodes: fps / (int(nodes) * frames["1"]) for nodes, fps in frames.items()},
        "simulated": stand_ins,
        "simulated_efficiency": {nodes: each["fps"] / (int(nodes) * one) for nodes, each in stand_ins.items()},
        "cameras_of_a_simulated_node": args.cameras,
        "frame_ms": args.frame_ms,
        "store_events_per_s": store_events_per_s(folder, min(5.0, args.seconds)),
    }


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="python -m testbench.fleet_scaling",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("--source", default="demo", help="of the cameras of real nodes (%(default)s)")
    made.add_argument("--size", default="640x360", help="working size, WxH (%(default)s)")
    made.add_argument("--cameras", type=int, default=8, help="of each simulated node (%(default)s)")
    made.add_argument("--frame-ms", type=float, default=40.0, help="of each simulated frame (%(default)s)")
    made.add_argument("--seconds", type=float, default=15.0, help="of each measurement (%(default)s)")
    made.add_argument("--models", type=Path, default=Path("data/models"))
    made.add_argument("--cache", type=Path, default=Path("data/engines"))
    made.add_argument("--json", type=Path, help="write the figures here too")
    return made


def main(arguments: list[str] | None = None) -> int:
    args = parser().parse_args(arguments)
    return exit_code(lambda: _measure(args))


def _measure(args: argparse.Namespace) -> int:
    need_fleet("testbench.fleet_scaling")
    with tempfile.TemporaryDirectory(prefix="facewire-scaling-") as folder:
        tell(measure(args, Path(folder)), args.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
