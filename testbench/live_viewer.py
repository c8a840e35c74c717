"""The console as others see it: a run with one, what it tells of itself, and connections that take its live picture."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any
from urllib.error import URLError

from checkpoints.errors import SettingsError

PATIENCE_S = 120.0
_LISTENING = "listening at http://"
_PART = b"--facewire-frame\r\n"


class WatchedRun:
    """A run of the whole program with its console, at any free port."""

    def __init__(self, words: Sequence[str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "app.main", *words, "--display", "web", "--port", "0"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._said: list[str] = []
        self._listens = threading.Event()
        self._hearing = threading.Thread(target=self._hear, daemon=True)
        self._hearing.start()

    def __enter__(self) -> WatchedRun:
        if not self._listens.wait(PATIENCE_S) or not self.address[1]:
            self._process.kill()
            raise SettingsError("The program's console did not begin.", saw="\n".join(self._said[-3:]))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._process.kill()
        self._process.wait()

    @property
    def address(self) -> tuple[str, int]:
        """Port 0: it ended before it listened."""
        for line in self._said:
            if _LISTENING in line:
                host, _, port = line.partition(_LISTENING)[2].strip(" /\n").partition(":")
                return host, int(port)
        return "", 0

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def wait(self, seconds: float) -> None:
        """Until it has ended, at most so long."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)

    def frames(self) -> int:
        """How many came through so far."""
        told = self._ask("/api/latency")
        return int(told["frames"]) if told else 0

    def console_mb(self) -> float | None:
        """Resident memory of the console; None: it is gone."""
        told = self._ask("/api/latency") or {"processes": []}
        return next((float(one["memory_mb"]) for one in told["processes"] if one["name"] == "console"), None)

    def wait_for_frames(self, count: int) -> None:
        while self.alive and self.frames() < count:
            self.wait(0.2)

    def _ask(self, path: str) -> dict[str, Any] | None:
        host, port = self.address
        try:
            with urllib.request.urlopen(f"http://{host}:{port}{path}", timeout=PATIENCE_S) as answer:
                told: dict[str, Any] = json.load(answer)
        except (URLError, ConnectionError):  # the run has ended
            return None
        return told

    def _hear(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self._said.append(line)
            if _LISTENING in line:
                self._listens.set()
        self._listens.set()


class Viewer:
    """Takes the live picture of all cameras and throws it away; deaf: asks for it and never reads.

    pictures  that came so far
    """

    def __init__(self, address: tuple[str, int], *, deaf: bool = False) -> None:
        self.pictures = 0
        self._began_s = self._last_s = time.monotonic()
        self._socket = socket.create_connection(address, timeout=PATIENCE_S)
        self._socket.sendall(b"GET /api/live HTTP/1.1\r\nHost: %s:%d\r\n\r\n" % (address[0].encode(), address[1]))
        self._reading = None if deaf else threading.Thread(target=self._read, daemon=True)

    def __enter__(self) -> Viewer:
        if self._reading is not None:
            self._reading.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):  # the other side may have gone first
            self._socket.shutdown(socket.SHUT_RDWR)
        self.join()
        self._socket.close()

    def join(self) -> None:
        """Until the other side sends no more."""
        if self._reading is not None:
            self._reading.join()

    @property
    def fps(self) -> float:
        return self.pictures / max(1e-9, self._last_s - self._began_s)

    def _read(self) -> None:
        tail = b""
        with suppress(ConnectionError, TimeoutError):
            while data := self._socket.recv(262_144):
                self.pictures += (tail + data).count(_PART)
                tail = data[-len(_PART) + 1 :]
                self._last_s = time.monotonic()
