"""Stands in for a camera's run: each frame takes a fixed time and no processor, and each second a face is told of.

So many nodes of a fleet fit on one machine that what the fleet itself costs can be seen. A warden starts it
(`python -m testbench.fixed_cost_run`) as it starts a run; the camera's source is the milliseconds of a frame.
"""

from __future__ import annotations

import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import FileIO

from app.fleet.one_camera import Task
from pipeline.clock import utc_iso
from pipeline.config import CollectorConfig
from pipeline.outlets.collector import Collector
from pipeline.outlets.outlet import Away
from pipeline.outlets.stored import StoredEvent

_TELL_EVERY_S = 1.0


class FixedCostRun:
    def __init__(self, task: Task) -> None:
        self._task = task
        self._frames = 0
        self._began_s = time.monotonic()
        self._ending = threading.Event()

    def run(self) -> None:
        """Until the leash is cut. A frame that comes late is not made up for: a slow machine has fewer."""
        cost_s = float(self._task.camera.source) / 1e3
        collector = Collector(CollectorConfig(self._task.collector, self._task.secret))
        waiting: list[StoredEvent] = []
        tell_at_s = time.monotonic() + _TELL_EVERY_S
        while not self._ending.wait(cost_s):
            self._frames += 1
            if time.monotonic() >= tell_at_s:
                tell_at_s += _TELL_EVERY_S
                waiting = self._tell(collector, [*waiting, self._event()])
        collector.close()

    def end_with(self, told: FileIO) -> None:
        """When the leash is cut."""
        told.read()
        self._ending.set()

    def figures(self) -> str:
        name = self._task.camera.name
        fps = self._frames / max(1e-3, time.monotonic() - self._began_s)
        return (
            f'facewire_camera_state{{camera="{name}",state="live"}} 1\n'
            f'facewire_frames_shown_total{{camera="{name}"}} {self._frames}\n'
            f'facewire_fps{{camera="{name}"}} {fps}\n'
        )

    def _tell(self, collector: Collector, events: list[StoredEvent]) -> list[StoredEvent]:
        """What could not be told."""
        try:
            collector.tell(events)
        except Away:
            return events
        return []

    def _event(self) -> StoredEvent:
        t, frame = utc_iso(), self._frames
        body = {"type": "identity", "camera": self._task.camera.name, "frame": frame, "t": t, "track": 1, "name": None}
        key = f"{self._task.camera.name}/{frame}/1@{t}"
        return StoredEvent(frame, key, 0, {**body, "state": "unknown", "run": self._task.run})


def main(told: FileIO) -> int:
    run = FixedCostRun(Task.of_line(told.readline().decode()))

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(run.figures().encode())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Says nothing."""

    console = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    console.daemon_threads = True
    threading.Thread(target=console.serve_forever, daemon=True).start()
    sys.stderr.write(f"[console] listening at http://127.0.0.1:{console.server_address[1]}/\n")
    threading.Thread(target=lambda: run.end_with(told), daemon=True).start()
    run.run()
    return 0


if __name__ == "__main__":
    sys.exit(main(FileIO(0)))
