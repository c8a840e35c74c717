"""Cameras that go away and come back, with a real RTSP server: what is known when, what is left, who else notices.

python -m testbench.reconnect --json reconnect.json
python -m testbench.reconnect --parts leaks --times 20
"""

from __future__ import annotations

import argparse
import sys
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

from checkpoints.errors import SettingsError
from checkpoints.exit_code import exit_code
from engines.options import EngineOptions
from pipeline.config import SuperviseConfig, Transport
from testbench import camera_network, rtsp_process
from testbench.camera_faults import CAMERA, LOGIN, Faults
from testbench.camera_lag import Lag, lag, lag_after_a_hold_up, lags_with_loss
from testbench.camera_leaks import leaks
from testbench.camera_neighbours import neighbours
from testbench.camera_network import CameraNetwork
from testbench.camera_watch import CameraWatch, watched_system
from testbench.figures import tell
from testbench.rtsp_process import RtspCamera

PARTS = ("faults", "lag", "leaks", "neighbours")
LAG_S = 10.0
HASTE_S = 0.05  # between two tries, where it is not the pauses that are measured


def faults_and_recoveries(deadline_s: float) -> list[dict[str, object]]:
    words = ("--size", "640x360", "--fps", "25")
    with ExitStack() as stack:
        network = stack.enter_context(CameraNetwork()) if camera_network.is_there() else None
        where = {} if network is None else {"prefix": network.prefix, "address": network.address}
        camera = stack.enter_context(RtspCamera(*words, "--login", LOGIN, **where))  # type: ignore[arg-type]
        config = camera.config(CAMERA, login=f"{LOGIN}@")
        system = stack.enter_context(watched_system((config,), SuperviseConfig(camera_timeout_s=deadline_s)))
        watch = CameraWatch(system)
        watch.until(lambda: watch.seen)
        return [asdict(outcome) for outcome in Faults(watch, camera, words, network).all()]


def lags() -> list[dict[str, object]]:
    found: list[Lag] = []
    transports: tuple[Transport, ...] = ("tcp", "udp")
    for transport in transports:
        with ExitStack() as stack:
            network = stack.enter_context(CameraNetwork()) if camera_network.is_there() else None
            where = {} if network is None else {"prefix": network.prefix, "address": network.address}
            camera = stack.enter_context(RtspCamera(**where))  # type: ignore[arg-type]
            config = camera.config(CAMERA, transport=transport)
            watch = CameraWatch(stack.enter_context(watched_system((config,), SuperviseConfig())))
            watch.until(lambda watch=watch: watch.seen)  # type: ignore[misc]
            watch.for_s(2.0)
            found.append(lag(watch, f"calm, {transport}", LAG_S))
            if network is not None:
                found += lags_with_loss(watch, network, transport, LAG_S)
            if transport == "tcp":
                found.append(lag_after_a_hold_up(watch, LAG_S))
    return [asdict(each) for each in found]


def left_behind(times: int) -> dict[str, object]:
    with ExitStack() as stack:
        camera = stack.enter_context(RtspCamera())
        hasty = SuperviseConfig(reconnect_s=HASTE_S, longest_reconnect_s=HASTE_S)
        watch = CameraWatch(stack.enter_context(watched_system((camera.config(CAMERA),), hasty)))
        watch.until(lambda: watch.seen)
        return asdict(leaks(watch, camera, times))


def _measure(args: argparse.Namespace) -> int:
    if not rtsp_process.is_there():
        raise SettingsError(
            "The RTSP server is not installed.",
            saw=f"{rtsp_process.PYTHON} finds no GstRtspServer, or an encoder is missing",
            fix=f"apt-get install {rtsp_process.PACKAGES}",
        )
    figures: dict[str, object] = {}
    if "faults" in args.parts:
        figures["faults"] = faults_and_recoveries(args.deadline)
    if "lag" in args.parts:
        figures["lag"] = lags()
    if "leaks" in args.parts:
        figures["leaks"] = left_behind(args.times)
    if "neighbours" in args.parts:
        words = ("--size", "640x360", "--fps", str(args.fps))
        engines = EngineOptions(models=args.models, cache=args.cache)
        figures["neighbours"] = asdict(neighbours(args.seconds, engines, words))
    if not camera_network.is_there():
        figures["left out"] = "loss of packets and a pulled cable: they need root, ip and iptables"
    tell(figures, args.json)
    return 0


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m testbench.reconnect", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, help="which to measure (all)")
    parser.add_argument("--deadline", type=float, default=10.0, help="seconds without a picture (%(default)s)")
    parser.add_argument("--times", type=int, default=200, help="reconnections for the leaks (%(default)s)")
    parser.add_argument("--seconds", type=float, default=120.0, help="of the four cameras (%(default)s)")
    parser.add_argument("--fps", type=int, default=5, help="of each of the four cameras (%(default)s)")
    parser.add_argument("--models", type=Path, default=Path("data/models"))
    parser.add_argument("--cache", type=Path, default=Path("data/engines"))
    parser.add_argument("--json", type=Path, help="write the figures here too")
    args = parser.parse_args(arguments)
    return exit_code(lambda: _measure(args))


if __name__ == "__main__":
    sys.exit(main())
