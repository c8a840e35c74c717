"""What may happen to a camera, one fault after the other: how soon it is known, and how soon pictures come again."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

from pipeline.clock import now_ns
from testbench.camera_network import CameraNetwork
from testbench.camera_watch import CameraWatch
from testbench.rtsp_process import RtspCamera

CAMERA = "camera"
LOGIN, OTHER_LOGIN = "viewer:s3cret", "viewer:changed"
CALM_S = 12.0  # a connection that has lasted so long is well: the pauses begin anew
AWAY_S = 15.0  # longer than the deadline of 10 s


@dataclass(frozen=True, slots=True)
class Outcome:
    """known_s      from the fault until it was told; None: nothing was
    trouble      what was told
    recovery_s   from the cure until a picture came that was made after it
    pause_s      the longest time without a picture
    """

    fault: str
    known_s: float | None
    troubles: list[str]
    recovery_s: float
    pause_s: float


Act = Callable[[], object]


class Faults:
    """words  flags of the camera, for when it is started anew"""

    def __init__(
        self, watch: CameraWatch, camera: RtspCamera, words: tuple[str, ...], network: CameraNetwork | None
    ) -> None:
        self._watch = watch
        self._camera = camera
        self._words = words
        self._network = network

    def all(self) -> list[Outcome]:
        found = [
            self._try("hangs up", lambda: self._camera.tell("hang up")),
            self._try("is killed, is back after 5 s", self._camera.kill, self._start, 5.0),
            self._try("is restarted", self._restart),
            self._try("is frozen for 15 s", self._camera.freeze, self._camera.thaw, AWAY_S),
            self._try(
                "stalls for 15 s", lambda: self._camera.tell("stall"), lambda: self._camera.tell("go on"), AWAY_S
            ),
            self._try("has another password for 10 s", self._change_password, self._restart, 10.0),
            self._try("changes its resolution", lambda: self._camera.tell("size 320x240")),
            self._try("changes its codec", lambda: self._camera.tell("codec jpeg")),
            self._try("our process is stopped", self._stop_our_process),
            self._try("our process is killed", lambda: self._signal_our_process(signal.SIGKILL)),
        ]
        if self._network is not None:
            pull, plug = self._network.pull_cable, self._network.plug_in
            found.append(self._try("has its cable pulled for 15 s", pull, plug, AWAY_S))
        return found

    def _try(self, fault: str, begin: Act, cure: Act | None = None, away_s: float = 0.0) -> Outcome:
        self._watch.for_s(CALM_S)
        begun_ns = now_ns()
        begin()
        if cure is not None:
            self._watch.for_s(away_s)
            cure()
        cured_ns = now_ns() if cure is not None else begun_ns
        if fault == "our process is stopped":
            self._watch.until(lambda: self._watch.known_ns(begun_ns))
        self._watch.until(lambda: self._watch.fresh(CAMERA, cured_ns))
        fresh, known = self._watch.fresh(CAMERA, cured_ns), self._watch.known_ns(begun_ns)
        assert fresh is not None
        self._watch.for_s(CALM_S)
        return Outcome(
            fault,
            None if known is None else round((known[0] - begun_ns) / 1e9, 2),
            self._watch.troubles(begun_ns),
            round((fresh.at_ns - cured_ns) / 1e9, 2),
            round(self._longest_pause_s(begun_ns), 2),
        )

    def _longest_pause_s(self, since_ns: int) -> float:
        moments = [seen.at_ns for seen in self._watch.seen[CAMERA]]
        gaps = [after - before for before, after in pairwise(moments) if after >= since_ns]
        return max(gaps, default=0) / 1e9

    def _start(self) -> None:
        self._camera.start_again(*self._words, "--login", LOGIN)

    def _restart(self) -> None:
        self._camera.kill()
        self._start()

    def _change_password(self) -> None:
        self._camera.kill()
        self._camera.start_again(*self._words, "--login", OTHER_LOGIN)

    def _stop_our_process(self) -> None:
        self._signal_our_process(signal.SIGSTOP)

    def _signal_our_process(self, number: signal.Signals) -> None:
        os.kill(self._watch.system.supervisor.pids()[f"capture:{CAMERA}"], number)
