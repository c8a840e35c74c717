"""What somebody at the window wants to see and do: keys and clicks go in, wishes come out. Knows no screen."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

HELP = "l: latency   space: pause   s: snapshot   n: name the clicked face   q: quit"

_ENTER, _BACKSPACE, _ESCAPE = {10, 13}, 8, 27
_EDITING_KEYS = {0xFF08: 8, 0xFF0D: 13, 0xFF8D: 13, 0xFF1B: 27}  # as some systems number them
_SHIFT = {0xFFE1, 0xFFE2}
_LONGEST_NAME = 100


@dataclass(frozen=True, slots=True)
class ChosenFace:
    camera: str
    track: int


@dataclass(frozen=True, slots=True)
class GiveName:
    face: ChosenFace
    name: str


Wish = Literal["quit", "snapshot", "choose"] | GiveName


@dataclass(slots=True)
class View:
    """typed  the name so far; None: no name is being typed"""

    paused: bool = False
    latency: bool = False
    chosen: ChosenFace | None = None
    typed: str | None = None
    _shifted: bool = field(default=False, init=False)
    _has_capitals: bool = field(default=False, init=False)

    def click(self, face: ChosenFace | None) -> None:
        self.chosen = face
        self.typed = None

    def press(self, code: int) -> Wish | None:
        """A key as OpenCV numbers it. "choose": a name is to be given, and nobody was clicked."""
        code = _EDITING_KEYS.get(code, code)
        if self.typed is not None:
            return self._type(code)
        key = letter_of(code)
        if key == "q" or code == _ESCAPE:
            return "quit"
        if key == "l":
            self.latency = not self.latency
        elif key == " ":
            self.paused = not self.paused
        elif key == "s":
            return "snapshot"
        elif key == "n":
            self.begin_name()
            return None if self.chosen is not None else "choose"
        return None

    def begin_name(self) -> None:
        if self.chosen is not None:
            self.typed = ""
            self._shifted = self._has_capitals = False

    def _type(self, code: int) -> Wish | None:
        assert self.typed is not None
        if code in _ENTER and self.chosen is not None:
            name, self.typed = self._name(), None
            return GiveName(self.chosen, name) if name else None
        if code == _ESCAPE:
            self.typed = None
        elif code == _BACKSPACE:
            self.typed = self.typed[:-1]
        elif code in _SHIFT:
            self._shifted = True
        elif (letter := letter_of(code)) is not None and len(self.typed) < _LONGEST_NAME:
            # Some systems tell a capital by the key beneath it, after the shift key.
            capital = self._shifted or letter != letter.lower()
            self._has_capitals |= capital
            self._shifted = False
            self.typed += letter.upper() if capital else letter
        return None

    def _name(self) -> str:
        """Where no capital was typed, each word begins with one."""
        words = (self.typed or "").split()
        return " ".join(words if self._has_capitals else [word[:1].upper() + word[1:] for word in words])


def letter_of(code: int) -> str | None:
    """The sign of a key, of those of Latin-1; None for other keys. OpenCV tells those beyond ASCII as negative."""
    letter = chr(code & 0xFF).lower() if -128 <= code < -1 else chr(code) if 32 <= code < 256 else ""
    return letter if letter and letter.isprintable() else None
