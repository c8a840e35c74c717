"""The warden of one camera: keeps its run alive on this machine, and tells how it is.

It runs as an actor of Ray (`cluster`), which begins it anew on another machine when this one is lost. The run is a
process of its own that ends with the warden (`leashed`).
"""

from __future__ import annotations

import re
import secrets
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path

from app.fleet import figures
from app.fleet.one_camera import Task
from app.fleet.order import Order, Report, Sample, State
from pipeline.clock import now_ns, utc_iso

FIRST_BACKOFF_S = 0.5
REFUSED_BACKOFF_S = 5.0
MAX_BACKOFF_S = 60.0
_LONG_LIFE_S = 60.0  # who has lived for so long is started at once
_LOOK_EVERY_S = 1.0
_ASK_TIMEOUT_S = 2.0
_STOP_S = 12.0  # more than the run grants itself
_KEPT_LINES = 500
_USER_ERROR = 2
_NOT_BEGUN = 1
_LISTENING = re.compile(r"\[console\] listening at (\S+)")
ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Here:
    """node  id of Ray; address  of this machine, for the others"""

    node: str
    address: str


class Warden:
    """command  what the run is started with"""

    def __init__(
        self, order: Order, here: Here, command: Sequence[str] = (sys.executable, "-m", "app.fleet.leashed")
    ) -> None:
        self._order = order
        self._here = here
        self._command = list(command)
        self._stopping = threading.Event()
        self._lines: deque[str] = deque(maxlen=_KEPT_LINES)
        self._report = Report(order.camera.name, "starting", order.revision, here.node, here.address)
        self._console = ""
        self._restarts = 0
        self._bug: BaseException | None = None
        self._thread = threading.Thread(target=self._guarded, name="warden", daemon=True)
        self._thread.start()

    def look(self) -> Report:
        if self._bug is not None:
            raise RuntimeError("the warden has died") from self._bug
        return self._report

    def log(self, lines: int) -> list[str]:
        return list(self._lines)[-lines:]

    def stop(self) -> Report:
        """In order; returns when nothing of the run is left."""
        self._stopping.set()
        self._thread.join()
        return self._report

    def died(self) -> None:
        """By a bug: nothing is kept alive any more."""

    def _guarded(self) -> None:
        try:
            self._keep()
        except BaseException as error:  # noqa: BLE001  (raised again in whoever looks)
            self._bug = error
            self.died()

    def _keep(self) -> None:
        backoff_s = FIRST_BACKOFF_S
        while not self._stopping.is_set():
            began_ns = now_ns()
            code = self._live_once()
            if self._stopping.is_set():
                break
            if code == 0:
                self._tell("ended")
                self._stopping.wait()
                break
            if code == _USER_ERROR:
                backoff_s = max(backoff_s, REFUSED_BACKOFF_S)  # what a person has to put right is not tried at once
            elif now_ns() - began_ns > _LONG_LIFE_S * 1e9:
                backoff_s = FIRST_BACKOFF_S
            self._tell("refused" if code == _USER_ERROR else "resting", said=self._last_words(code))
            self._stopping.wait(backoff_s)
            backoff_s = min(MAX_BACKOFF_S, 2 * backoff_s)
            self._restarts += 1
        self._tell("stopped")

    def _live_once(self) -> int:
        """One run from its beginning to its end; its exit code."""
        task = self._task()
        self._console = ""
        self._tell("starting", run=task.run)
        try:
            process = subprocess.Popen(
                self._command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
            )
        except OSError as error:  # no memory, too many processes: there may be some again
            self._lines.append(f"{utc_iso()} the run cannot be begun: {error}")
            return _NOT_BEGUN
        assert process.stdin is not None
        reading = threading.Thread(target=self._read, args=(process,), name="log", daemon=True)
        reading.start()
        try:
            process.stdin.write(task.as_line().encode())
            process.stdin.flush()
            self._watch(process, task.run)
        except BrokenPipeError:
            pass  # it has ended before it was told anything: its exit code and its words say why
        finally:
            code = self._end(process, reading)
        return code

    def _task(self) -> Task:
        order = self._order
        chosen = {
            **dict(order.settings),
            "CONSOLE_HOST": self._here.address,
            "CONSOLE_PORT": "0",
            "CONSOLE_VIEWER_TOKEN": order.token,
        }
        chosen.setdefault("CONSOLE_VIEWER_PASSWORD", order.token)
        run = f"{utc_iso()}-{secrets.token_hex(4)}"
        return Task(order.camera, run, chosen, order.collector, order.secret)

    def _watch(self, process: subprocess.Popen[bytes], run: str) -> None:
        while process.poll() is None and not self._stopping.wait(_LOOK_EVERY_S):
            if self._console:
                self._ask(run)

    def _ask(self, run: str) -> None:
        try:
            told = figures.ask(self._console, self._order.token, _ASK_TIMEOUT_S)
        except (OSError, HTTPException) as error:
            self._tell("stale", run=run, said=f"its console does not answer: {error}")
        except ValueError as error:
            self._tell("stale", run=run, said=f"what its console answers cannot be read: {error}")
        else:
            self._tell(figures.state_of(told), run=run, told=told)

    def _end(self, process: subprocess.Popen[bytes], reading: threading.Thread) -> int:
        """Closing the pipe asks the run to end; it is killed when it does not."""
        assert process.stdin is not None
        with suppress(BrokenPipeError):  # it has ended already
            process.stdin.close()
        try:
            code = process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            code = process.wait()
        reading.join(_ASK_TIMEOUT_S)  # a grandchild may hold the pipe a little longer
        return code

    def _read(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        with process.stdout as said:
            for line in said:
                text = line.decode(errors="replace").rstrip()
                self._lines.append(f"{utc_iso()} {text}")
                listening = _LISTENING.search(text)
                if listening is not None:
                    self._console = listening[1]

    def _last_words(self, code: int) -> str:
        words = [line.partition(" ")[2] for line in list(self._lines)[-3:]]
        return "; ".join([f"exit code {code}", *words])

    def _tell(self, state: State, *, run: str = "", said: str = "", told: tuple[Sample, ...] = ()) -> None:
        self._report = Report(
            camera=self._order.camera.name,
            state=state,
            revision=self._order.revision,
            node=self._here.node,
            address=self._here.address,
            console=self._console,
            run=run,
            restarts=self._restarts,
            fps=figures.value_of(told, "facewire_fps") or 0.0,
            age_s=figures.value_of(told, "facewire_camera_age_seconds"),
            said=said,
            samples=figures.passed_on(told),
            machine=figures.machine(),
        )
