"""How old pictures are when they come through: calm, with packets lost, and after the machine had no time for them."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass

import numpy as np

from pipeline.clock import now_ns
from testbench.camera_faults import CAMERA
from testbench.camera_network import CameraNetwork
from testbench.camera_watch import CameraWatch

HELD_UP_S = 6.0  # less than the deadline, so that the process goes on with what has piled up
CAUGHT_UP_AFTER_S = 2.0
_UNREADABLE_MS = 60_000.0


@dataclass(frozen=True, slots=True)
class Lag:
    """Ages in milliseconds, from the camera's making a picture to the end of the way.

    torn_per_s  pictures whose moment could not be read, because packets of them were lost
    """

    when: str
    frames_per_s: float
    torn_per_s: float
    p50_ms: float
    p99_ms: float
    max_ms: float
    losses: int


def lag(watch: CameraWatch, when: str, seconds: float) -> Lag:
    begun_ns, losses = now_ns(), len(watch.aways)
    watch.for_s(seconds)
    seen = [each for each in watch.seen.get(CAMERA, []) if each.at_ns >= begun_ns]
    readable = [each.age_ms for each in seen if each.age_ms < _UNREADABLE_MS]
    ages_ms = np.array(readable or [np.inf])
    return Lag(
        when,
        round(len(seen) / seconds, 2),
        round((len(seen) - len(readable)) / seconds, 2),
        round(float(np.percentile(ages_ms, 50)), 1),
        round(float(np.percentile(ages_ms, 99)), 1),
        round(float(ages_ms.max()), 1),
        len(watch.aways) - losses,
    )


def lag_after_a_hold_up(watch: CameraWatch, seconds: float) -> Lag:
    """The stream runs on while nobody reads it: what has piled up must not be shown for long."""
    pid = watch.system.supervisor.pids()[f"capture:{CAMERA}"]
    os.kill(pid, signal.SIGSTOP)
    watch.for_s(HELD_UP_S)
    os.kill(pid, signal.SIGCONT)
    watch.for_s(CAUGHT_UP_AFTER_S)
    return lag(watch, f"{CAUGHT_UP_AFTER_S:.0f} s after our process had stood still for {HELD_UP_S:.0f} s", seconds)


def lags_with_loss(watch: CameraWatch, network: CameraNetwork, transport: str, seconds: float) -> list[Lag]:
    found = []
    for share in (0.01, 0.05, 0.2):
        network.lose(share)
        found.append(lag(watch, f"{share:.0%} of packets lost, {transport}", seconds))
        network.lose(0.0)
        watch.for_s(3.0)
    return found
