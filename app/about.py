"""What is known about one setting."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class About:
    """names    in the environment; the first is the one that is shown
    parse    text to value; raises ValueError with the end of the sentence "NAME=TEXT …"
    flag     of the run command; None where there is none
    metavar  what stands for the value in the help
    secret   its value is never shown
    """

    names: tuple[str, ...]
    parse: Callable[[str], object]
    help: str
    flag: str | None = None
    metavar: str | None = None
    secret: bool = False


def about(
    names: str, parse: Callable[[str], object], text: str, flag: str = "", *, secret: bool = False
) -> dict[str, About]:
    """The metadata of a setting. `names` are separated by spaces, `flag` is "--name METAVAR"."""
    name, _, metavar = flag.partition(" ")
    return {"about": About(tuple(names.split()), parse, text, name or None, metavar or None, secret)}
