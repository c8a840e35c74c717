"""How the text of one setting becomes a value.

Each function here takes text and returns the value, or raises ValueError with the end of the sentence
"NAME=TEXT …", so that the caller can say which setting or flag the text came from.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable
from pathlib import Path

YES = frozenset({"1", "true", "yes", "on"})
NO = frozenset({"0", "false", "no", "off"})


def did_you_mean(text: str, names: Iterable[str], likeness: float = 0.6) -> str:
    """The end of a complaint: the known name nearest to `text`, or nothing."""
    near = difflib.get_close_matches(text, list(names), n=1, cutoff=likeness)
    return f"; did you mean {near[0]}?" if near else ""


def yes_or_no(text: str) -> bool:
    if text.lower() in YES | NO:
        return text.lower() in YES
    raise ValueError("is neither true nor false")


def whole(least: int, most: int) -> Callable[[str], int]:
    """A whole number from `least` to `most`."""

    def parse(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            raise ValueError(f"is not a whole number; valid are {least} to {most}") from None
        if not least <= value <= most:
            raise ValueError(f"is out of range; valid are {least} to {most}")
        return value

    return parse


def number(least: float, most: float, unit: str = "") -> Callable[[str], float]:
    """A number from `least` to `most`."""
    valid = f"valid are {least:g} to {most:g}" + (f" {unit}" if unit else "")

    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            raise ValueError(f"is not a number; {valid}") from None
        if not least <= value <= most:  # also true of nan
            raise ValueError(f"is out of range; {valid}")
        return value

    return parse


def one_of(*names: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text.lower() in names:
            return text.lower()
        raise ValueError(f"is not known; valid are {_listed(names)}{did_you_mean(text.lower(), names)}")

    return parse


def model(*names: str) -> Callable[[str], str]:
    """The name of a model, or the path of an ONNX file or of the manifest of several."""

    def parse(text: str) -> str:
        if text.lower() in names:
            return text.lower()
        if text.lower().endswith((".onnx", ".json")):
            return str(Path(text).expanduser())
        hint = did_you_mean(text.lower(), names)
        raise ValueError(f"is not a model; valid are {_listed(names)} and the path of an .onnx file{hint}")

    return parse


def size(text: str) -> tuple[int, int]:
    """WIDTHxHEIGHT in pixels."""
    width, cross, height = text.lower().replace("×", "x").partition("x")
    try:
        pair = int(width), int(height)
    except ValueError:
        raise ValueError("is not a size; write WIDTHxHEIGHT, for example 1280x720") from None
    if not cross or not all(32 <= side <= 8192 for side in pair):
        raise ValueError("is out of range; each side has 32 to 8192 pixels")
    return pair


def thresholds(text: str) -> tuple[float, float, float]:
    """Three numbers from 0 to 1, with commas between, or one that stands for three."""
    parse = number(0, 1)
    parts = text.split(",")
    if len(parts) == 1:
        parts *= 3
    if len(parts) != 3:
        raise ValueError("is not one number, or three numbers with commas between, for example 0.6,0.7,0.7")
    return parse(parts[0]), parse(parts[1]), parse(parts[2])


def path(text: str) -> Path:
    if "\0" in text:
        raise ValueError("is not a path")
    try:
        return Path(text).expanduser()
    except RuntimeError:
        raise ValueError("is in the folder of a user who is not known") from None


def host(text: str) -> str:
    """A host's name or address, without scheme and port."""
    if not re.fullmatch(r"[A-Za-z0-9._:\[\]-]+", text) or "://" in text:
        raise ValueError("is not the name or address of a host; write for example localhost")
    return text


def url(text: str) -> str:
    """The address of a server, without anything after the port."""
    found = re.fullmatch(r"(https?)://(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::(\d{1,5}))?/?", text)
    if found is None or (found[3] and not 0 < int(found[3]) < 65536):
        hint = "; a key belongs in QDRANT_API_KEY" if "@" in text else ""
        raise ValueError(f"is not the address of a server; write for example https://host:6333{hint}")
    return text.rstrip("/")


def urls(text: str) -> tuple[str, ...]:
    """The addresses of the nodes of one server, with commas between."""
    return tuple(dict.fromkeys(url(one.strip()) for one in text.split(",")))


def secret(text: str) -> str:
    """A key for a header of HTTP."""
    if not re.fullmatch(r"[\x21-\x7e]+", text):
        raise ValueError("is not a key; keys are letters and signs of ASCII without spaces")
    return text


def password(text: str) -> str:
    if len(text) < 8 or not text.isprintable():
        raise ValueError("is no password; use at least 8 printable characters")
    return text


def token(text: str) -> str:
    """Long enough that nobody can guess it."""
    if not re.fullmatch(r"[A-Za-z0-9._~+/=-]{16,200}", text):
        raise ValueError(
            "is no token; use at least 16 letters, digits and - . _ ~ + / =, such as openssl rand -hex 20 gives"
        )
    return text


def printable(text: str) -> str:
    """A name or password."""
    if not text.isprintable() or len(text) > 1000:
        raise ValueError("is not text of one line")
    return text


def word(text: str) -> str:
    """A name of letters, digits, - and _."""
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,100}", text):
        raise ValueError("is not a name; use up to 100 letters, digits, - and _")
    return text


def written(value: object) -> str:
    """A value as it stands in .env: what its parser reads back."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, tuple):
        between = "x" if all(isinstance(part, int) for part in value) else ","
        return between.join(written(part) for part in value)
    return str(value)


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(names[:-1]) + f" and {names[-1]}" if len(names) > 1 else names[0]
