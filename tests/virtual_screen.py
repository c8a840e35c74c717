"""A screen that nobody sees: Xvfb, with a keyboard and a mouse that tests use through xdotool."""

from __future__ import annotations

import ctypes
import os
import shutil
import struct
import subprocess
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Found = TypeVar("Found")
PATIENCE_S = 120.0
MISSING = [name for name in ("Xvfb", "xdotool") if shutil.which(name) is None]
WHY_SKIPPED = f"needs {' and '.join(MISSING)} (apt-get install xvfb xdotool)"


class VirtualScreen:
    def __init__(self, folder: Path, size_wh: tuple[int, int] = (1280, 720)) -> None:
        self._file = folder / "Xvfb_screen0"
        hear, speak = os.pipe()
        width, height = size_wh
        self._process = subprocess.Popen(
            ["Xvfb", "-displayfd", str(speak), "-screen", "0", f"{width}x{height}x24", "-fbdir", str(folder)],
            pass_fds=[speak],
            stderr=subprocess.DEVNULL,
        )
        os.close(speak)
        with os.fdopen(hear) as said:
            self.display = f":{said.readline().strip()}"

    def picture(self) -> NDArray[np.uint8]:
        """(H, W, 3) BGR, from the file that the screen's memory is."""
        data = self._file.read_bytes()
        head = struct.unpack(">25I", data[:100])
        header_bytes, width, height, line_bytes, colours = head[0], head[4], head[5], head[12], head[19]
        pixels = np.frombuffer(data, np.uint8, height * line_bytes, header_bytes + 12 * colours)
        return pixels.reshape(height, line_bytes // 4, 4)[:, :width, :3].copy()

    def until(self, is_so: Callable[[NDArray[np.uint8]], object]) -> NDArray[np.uint8]:
        """The first picture of which it is so."""
        return self.wait(lambda: picture if is_so(picture := self.picture()) else None)

    @staticmethod
    def wait(found: Callable[[], Found | None]) -> Found:
        never = threading.Event()
        for _ in range(int(PATIENCE_S / 0.05)):
            picture = found()
            if picture is not None:
                return picture
            never.wait(0.05)  # the screen tells nobody when it changes
        raise AssertionError("the screen never looked like that")

    def until_window(self, title: str, meanwhile: Callable[[], None] = lambda: None) -> None:
        """Where no window manager runs, Qt at times misses that its window is on the screen, and never paints it; so
        it is put there once more, with nothing else going on."""

        def there() -> bool | None:
            meanwhile()
            return bool(self.ask("search", "--name", title).stdout) or None

        self.wait(there)
        self.do("search", "--name", title, "windowunmap", "--sync", "windowmap", "--sync")

    def click(self, x: int, y: int) -> None:
        self.do("mousemove", "--sync", x, y, "click", 1)

    def press(self, *keys: str) -> None:
        self.do("key", "--delay", 60, *keys)

    def press_seen(self, keys: Iterable[str], rows: slice) -> None:
        """One after the other, each when the last one has changed these rows of the screen: a busy machine loses keys
        that come at once."""
        for key in keys:
            before = self.picture()[rows]
            self.press(key)
            self.until(lambda picture, before=before: (picture[rows] != before).any())

    def close_window(self, title: str) -> None:
        """As the cross in its corner does, which only a window manager draws."""
        window = int(self.do("search", "--name", title).split()[0])
        x11 = ctypes.CDLL("libX11.so.6")
        x11.XOpenDisplay.restype = ctypes.c_void_p
        display = ctypes.c_void_p(x11.XOpenDisplay(self.display.encode()))
        atoms = [x11.XInternAtom(display, name, 0) for name in (b"WM_PROTOCOLS", b"WM_DELETE_WINDOW")]
        client_message = 33
        # struct XClientMessageEvent: type, serial, send_event, display, window, message_type, format, data
        event = struct.pack(
            "i4xLi4xPLLi4x5L", client_message, 0, 1, display.value or 0, window, atoms[0], 32, atoms[1], *[0] * 4
        )
        x11.XSendEvent(display, ctypes.c_ulong(window), 0, ctypes.c_long(0), ctypes.create_string_buffer(event, 192))
        x11.XCloseDisplay(display)

    def do(self, *words: object) -> str:
        done = self.ask(*words)
        done.check_returncode()
        return done.stdout

    def ask(self, *words: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["xdotool", *map(str, words)],
            env={**os.environ, "DISPLAY": self.display},
            timeout=PATIENCE_S,
            stdout=subprocess.PIPE,
            text=True,
        )

    def close(self) -> None:
        self._process.terminate()
        self._process.wait()
