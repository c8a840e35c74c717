"""How large the numbers in a network become: measured once on real pictures, committed, and read when it is quantised.

So a fresh machine quantises without any picture, and every machine to the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources

from checkpoints import json_text
from checkpoints.errors import ModelError
from checkpoints.fields import Fields


@dataclass(frozen=True, slots=True)
class Ranges:
    """made    from which pictures, how many of them, by which method and when
    limits  tensor → the largest magnitude that int8 has to hold; what is larger is clipped
    left    output of a layer that stays in floating point → why
    """

    made: str
    limits: Mapping[str, float]
    left: Mapping[str, str]


def names() -> tuple[str, ...]:
    found = (entry.name for entry in resources.files("checkpoints").joinpath("ranges").iterdir())
    return tuple(sorted(name.removesuffix(".json") for name in found if name.endswith(".json")))


def load(name: str) -> Ranges:
    if name not in names():
        raise ModelError("There is no table of ranges of that name.", saw=name, fix=f"Known: {', '.join(names())}.")
    entry = resources.files("checkpoints").joinpath("ranges").joinpath(f"{name}.json")
    return parse(entry.read_text(encoding="utf-8"), f"checkpoints/ranges/{name}.json")


def parse(text: str, where: str) -> Ranges:
    """`where` is what an error calls the text."""
    try:
        content = json_text.read(text)
    except ValueError as error:
        raise ModelError(f"{where} is not JSON.", saw=str(error)) from error
    fields = Fields(content)
    ranges = Ranges(fields.text("made"), fields.numbers("limits"), fields.texts("left", may_be_empty=True))
    fields.no_others()
    if fields.wrong:
        raise ModelError(f"{where} does not hold ranges.", saw="\n".join(fields.wrong))
    return ranges


def text(ranges: Ranges) -> str:
    """What `parse` reads; four digits say more than is known about a range."""
    limits = {name: float(f"{limit:.4g}") for name, limit in ranges.limits.items()}
    return json.dumps({"made": ranges.made, "left": dict(ranges.left), "limits": limits}, indent=2) + "\n"
