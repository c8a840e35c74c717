"""One run: starts the system, tells the person at the terminal what happens, ends it in order."""

from __future__ import annotations

import signal
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TextIO

from tqdm import tqdm

from app.away import Away
from app.outputs import check_folders, check_writable
from app.report import MemoryMeter, Report
from app.service.notify import ServiceManager
from app.service.service import Service
from checkpoints.errors import SourceError, UserError
from engines.models import crop_px
from pipeline import events
from pipeline.clock import now_ns, utc_iso
from pipeline.config import RunConfig
from pipeline.event_log import open_log
from pipeline.messages import Shown
from pipeline.metrics import Measurements
from pipeline.system import System
from pipeline.trace import Trace
from pipeline.watched import Happened
from pipeline.wiring import WINDOW, SideRow

_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_KILL_AFTER = 0.8  # of the time to stop: what has not ended by itself by then is killed


class Run:
    """exit_code  0 all went well, 1 a stage or an output failed for good; raises UserError for what a user can mend."""

    def __init__(
        self,
        config: RunConfig,
        *,
        report: Path | None = None,
        trace: Path | None = None,
        sides: tuple[SideRow, ...] = (),
        service: Service | None = None,
        out: TextIO = sys.stderr,
    ) -> None:
        outputs = config.output
        check_writable({"--record": outputs.record, "--report": report, "--trace": trace})
        films = {"--record": outputs.recordings, "--clips": outputs.clips}
        check_folders({flag: None if one is None else one.folder for flag, one in films.items()})
        self._config = config
        self._report_path = report
        self._trace_path = trace
        self._sides = (*sides, WINDOW) if outputs.display == "window" else sides
        self._service = service or Service(ServiceManager(), stale_s=float("inf"), reread=lambda: config)
        self._out = out
        self._measured = Measurements()
        self._memory = MemoryMeter()
        self._trace = Trace() if trace else None
        self._restarts: Counter[str] = Counter()
        self._resting: set[str] = set()
        self._away = Away()
        self._met: Counter[str] = Counter()
        self._log = open_log(config)
        self._stop_by_ns: int | None = None
        self._error: UserError | None = None
        self._failed = False
        self._has_told_end = False
        self._signals = 0
        self._should_reload = False
        self._bar = tqdm(unit=" frames", file=out, leave=False, disable=None, dynamic_ncols=True)

    def __call__(self) -> int:
        with System(self._config, crop_px(self._config.engines), sides=self._sides) as system:
            system.supervisor.sides_may_end = False
            with _signals_ring(self, system):
                while system.supervisor.running:
                    self._turn(system)
                self._take(system)
            report = self._report(system)
        self._service.close()
        self._bar.close()
        self._finish(report)
        if self._error is not None:
            raise self._error
        return 1 if self._failed or self._resting else 0

    def _turn(self, system: System) -> None:
        if self._signals and self._stop_by_ns is None:
            self._begin_to_stop(system)
        if self._should_reload:
            self._should_reload = False
            self._say(self._service.reload(system))
        for what in self._take(system):
            self._react(system, what)
        self._write_waiting()
        if system.supervisor.stages_ended and not system.supervisor.sides_may_end:
            self._tell_end(self._report(system))
            system.supervisor.sides_may_end = True
        if self._stop_by_ns is not None and (now_ns() > self._stop_by_ns or self._signals > 1):
            system.supervisor.kill()

    def _take(self, system: System) -> list[Happened]:
        happened, shown = system.poll(timeout_s=0.25)
        self._measured.add(shown)
        if self._trace is not None:
            self._trace.add(shown)
        for each in shown:
            self._meet(each)
        self._service.turn(system, shown)
        self._memory.look(system, self._measured.frames)
        self._bar.update(len(shown))
        return happened

    def _react(self, system: System, what: Happened) -> None:
        if what.kind == "frames":
            self._bar.total = (self._bar.total or 0) + int(what.text)
        elif what.kind == "stop":
            self._say(f"stopping: {what.text}")
            self._begin_to_stop(system)
        elif what.kind in ("error", "trouble"):
            self._take_error(system, what)
        elif what.kind == "failed":
            self._failed = True
            self._say(f"[{what.process}] {what.text}")
            self._tell(events.stage(what.process, "failed", why=what.text))
            self._begin_to_stop(system)
        elif what.kind == "away":
            self._miss_camera(system, what)
        elif what.kind == "rests":
            self._resting.add(what.process)
            self._say(f"[{what.process}] {what.text}")
            self._tell(events.stage(what.process, "failed", why=what.text))
        elif what.kind == "disk":
            self._say(what.text)
            self._tell(events.disk(what.process, what.text))
        elif what.kind == "lost":
            self._failed = True
            self._say(f"[{what.process}] {what.text}; the run goes on without it")
            self._tell(events.stage(what.process, "failed", why=what.text))
        elif what.kind in ("restarted", "tried"):
            self._restarts[what.process] += 1
            self._resting.discard(what.process)
            self._say(f"[{what.process}] {what.text}; starting it again")
            self._tell(events.stage(what.process, "restarted", why=what.text))
        else:
            self._say(f"[{what.process}] {what.text.rstrip()}")

    def _miss_camera(self, system: System, what: Happened) -> None:
        self._restarts[what.process] += 1
        camera, error = what.process.partition(":")[2], what.error
        trouble = error.trouble if isinstance(error, SourceError) else "source"
        state = self._away.missed(camera, trouble, captured=system.captured()[camera], now_ns=now_ns())
        if state is not None:
            fix = error.fix if error is not None else None
            self._say(f"camera {camera}: {state}, {what.text}" + (f"\n  fix: {fix}" if fix else ""))
            self._tell(events.camera(camera, state, why=what.text, trouble=trouble, fix=fix))

    def _take_error(self, system: System, what: Happened) -> None:
        if what.kind == "error":
            self._error = self._error or what.error
            self._begin_to_stop(system)
        else:
            self._failed = True
            self._say(f"[{what.process}] {what.text}")

    def _begin_to_stop(self, system: System) -> None:
        if self._stop_by_ns is None:
            self._stop_by_ns = now_ns() + int(self._config.supervise.stop_timeout_s * _KILL_AFTER * 1e9)
        self._service.stopping()
        system.supervisor.ask_sources_to_stop()

    def _report(self, system: System) -> Report:
        return Report(self._measured, system.captured(), system.dropped(), dict(self._restarts), self._memory.peak_mb)

    def _tell_end(self, report: Report) -> None:
        """Once, and while there still is somebody who passes it on."""
        if self._has_told_end:
            return
        self._has_told_end = True
        totals = report.as_json()
        keys = ("captured", "frames", "dropped", "fps", "restarts")
        latency = report.measured.latency_ms()["total"]
        self._tell({"type": "end", "t": utc_iso(), **{key: totals[key] for key in keys}, "latency_ms": latency})

    def _finish(self, report: Report) -> None:
        self._tell_end(report)
        if self._log is not None:
            self._log.close()
        if self._report_path is not None:
            report.save(self._report_path)
        if self._trace is not None and self._trace_path is not None:
            self._trace.save(self._trace_path)
        if self._error is None:
            report.print_table(self._out)
            met = ", ".join(f"{name} ({frames} frames)" for name, frames in self._met.most_common())
            self._say(f"recognised: {met or 'nobody'}")

    def _meet(self, shown: Shown) -> None:
        for name in shown.names:
            if name not in self._met:
                self._say(f"{shown.ref.camera}: {name}")
            self._met[name] += 1

    def _tell(self, event: dict[str, object]) -> None:
        if self._log is not None:
            self._log.append(event)

    def _write_waiting(self) -> None:
        news = self._log.write_waiting() if self._log is not None else None
        if news is not None:
            self._say(news)

    def _say(self, text: str) -> None:
        self._bar.clear()
        print(text, file=self._out, flush=True)
        self._bar.refresh()

    def interrupt(self) -> None:
        """Ctrl-C or SIGTERM: the first ends the run in order, the second at once."""
        self._signals += 1

    def read_settings_again(self) -> None:
        """SIGHUP to a service."""
        self._should_reload = True


@contextmanager
def _signals_ring(run: Run, system: System) -> Iterator[None]:
    def handle(number: int, _frame: FrameType | None) -> None:
        if number in _STOP_SIGNALS or (sys.stdin is not None and sys.stdin.isatty()):  # the terminal was closed
            run.interrupt()
        else:
            run.read_settings_again()
        system.supervisor.parent_bell.ring()

    hang_up = [signal.SIGHUP] if hasattr(signal, "SIGHUP") else []
    before = {number: signal.signal(number, handle) for number in (*_STOP_SIGNALS, *hang_up)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
