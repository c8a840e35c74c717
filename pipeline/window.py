"""The native window, a process beside the way: whoever looks slows nobody, and keys are heard between the frames.

l  latency of each stage    space  hold the picture    s  snapshot
n  name the clicked face    q, Escape, or closing a window ends the run
"""

from __future__ import annotations

from pathlib import Path

import cv2

from pipeline.clock import now_ns, utc_iso
from pipeline.file_names import safe
from pipeline.name_giver import NameGiver
from pipeline.newest import Newest
from pipeline.screen import Screen
from pipeline.side import SideContext
from pipeline.topic import Pulse
from pipeline.view import HELP, ChosenFace, GiveName, View

_NAP_MS = 10
_TELL_NS = 6_000_000_000
_NO_KEY = -1


def open_side(context: SideContext) -> Windows:
    return Windows(context)


class Windows:
    """One for each camera, with one view for all: a key does not say which window it was pressed in."""

    def __init__(self, context: SideContext) -> None:
        self._context = context
        self._newest = Newest(context.rings)
        self._names = NameGiver(context.config.gallery.path)
        self._view = View()
        self._screens = {
            camera.name: Screen(camera.name, number, self._click)
            for number, camera in enumerate(context.config.cameras)
        }
        self._message, self._until_ns = HELP, now_ns() + _TELL_NS
        self._has_changed = False
        self._has_opened = self._is_closed = False
        self._asked = False

    def run(self, pulse: Pulse) -> None:
        while not pulse.stopping:
            if not self._is_closed:
                self._look()
            if self._has_opened and not self._is_closed:
                self._listen()
                pulse.beat()
            else:
                pulse.wait(_NAP_MS / 1000)

    def close(self) -> None:
        self._newest.close()
        if self._has_opened:
            cv2.destroyAllWindows()

    def _look(self) -> None:
        refs, sights = self._newest.take()
        for ref in refs:
            self._screens[ref.camera].recent.add(ref)
        seen = set()
        for sight in sights if not self._view.paused else ():
            camera = sight.frame.ref.camera
            self._screens[camera].see(sight)
            seen.add(camera)
        self._hear_of_names()
        if self._message and now_ns() > self._until_ns:
            self._message, self._has_changed = "", True
        for camera in self._screens if self._has_changed else seen:
            self._screens[camera].draw(self._view, self._message)
        self._has_changed = False
        self._has_opened |= bool(seen)

    def _listen(self) -> None:
        """Serves the windows; waits for a key a moment at the most."""
        code = cv2.waitKeyEx(_NAP_MS)
        if code != _NO_KEY:
            self._press(code)
        if any(screen.was_closed for screen in self._screens.values()):
            self._is_closed = True  # another picture would open it again
            self._quit("the window was closed")

    def _press(self, code: int) -> None:
        wish = self._view.press(code)
        self._has_changed = True
        if wish == "choose":
            self._choose_the_only_one()
        elif wish == "quit":
            self._quit("asked to quit by a key")
        elif wish == "snapshot":
            self._snapshot()
        elif isinstance(wish, GiveName):
            self._say(f"{wish.name} …")
            self._names.give(wish)

    def _click(self, face: ChosenFace | None) -> None:
        self._view.click(face)
        self._has_changed = True

    def _choose_the_only_one(self) -> None:
        nameless = [face for screen in self._screens.values() for face in screen.faces()]
        if len(nameless) == 1:
            self._view.click(nameless[0])
            self._view.begin_name()
        else:
            self._say("Click a face first")

    def _hear_of_names(self) -> None:
        told = self._names.told()
        if told is not None:
            self._say(told)
            self._context.say(told)

    def _snapshot(self) -> None:
        folder = self._context.config.output.snapshots
        try:
            written = [_write(folder, screen) for screen in self._screens.values() if screen.shown is not None]
        except OSError as error:
            self._say(f"The snapshot cannot be written: {folder}: {error.strerror}")
            return
        told = f"written: {', '.join(map(str, written))}"
        self._say(told)
        self._context.say(told)

    def _say(self, text: str) -> None:
        self._message, self._until_ns = text, now_ns() + _TELL_NS
        self._has_changed = True

    def _quit(self, why: str) -> None:
        if not self._asked:
            self._asked = True
            self._context.request_stop(why)


def _write(folder: Path, screen: Screen) -> Path:
    assert screen.shown is not None
    path = folder / f"{safe(screen.camera)}-{safe(utc_iso())}.jpg"
    _, jpeg = cv2.imencode(".jpg", screen.shown)
    folder.mkdir(parents=True, exist_ok=True)
    path.write_bytes(jpeg.tobytes())
    return path
