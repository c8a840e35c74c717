"""How alike strangers are in an embedding space, and how alike one person's pictures: numbers measured once, no faces.

`python -m testbench.impostors EMBEDDER --data DIR` measures them; they are kept in the manifest as `impostors`.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from checkpoints.fields import Fields

Quantiles = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Looks:
    """What a face is known by: one picture, or the mean of several shots as the votes weigh them.

    shots          how many
    strangers      (rate, cosine): this share of strangers has this cosine to one picture of somebody, or a higher
    genuine        (share, cosine): this share of own faces has this cosine to one picture, or a lower
    genuine_three  the same, to the best of three pictures of them
    """

    shots: int
    strangers: Quantiles
    genuine: Quantiles
    genuine_three: Quantiles


@dataclass(frozen=True, slots=True)
class Impostors:
    """people        how many were measured
    measured_to   smaller rates are drawn out from those down to this one
    picture_gain  k pictures of a person are as many chances for a stranger as k to the power of this
    crowd_gain    n people are as many independent chances as n to the power of this: who is like one is like others
    looks         by shots, the fewest first
    """

    people: int
    measured_to: float
    picture_gain: float
    crowd_gain: float
    looks: tuple[Looks, ...]

    def of_shots(self, shots: int) -> Looks:
        """The looks of so many shots, or of the next smaller number that was measured."""
        return [looks for looks in self.looks if looks.shots <= max(shots, self.looks[0].shots)][-1]


def impostors(fields: Fields) -> Impostors:
    looks = tuple(_looks(entry) for entry in fields.sections("looks"))
    read = Impostors(
        people=fields.integer("people"),
        measured_to=fields.number("measured_to"),
        picture_gain=fields.number("picture_gain"),
        crowd_gain=fields.number_or("crowd_gain", 1.0),
        looks=tuple(sorted(looks, key=lambda one: one.shots)),
    )
    fields.no_others()
    return read


def _looks(fields: Fields) -> Looks:
    looks = Looks(
        shots=fields.integer("shots"),
        strangers=_quantiles(fields, "strangers", rising=False),
        genuine=_quantiles(fields, "genuine", rising=True),
        genuine_three=_quantiles(fields, "genuine_three", rising=True),
    )
    fields.no_others()
    return looks


def _quantiles(fields: Fields, key: str, *, rising: bool) -> Quantiles:
    """By the cosine, lowest first: with it the share of the strangers falls and that of a person's own rises."""
    read = []
    for text, cosine in fields.numbers(key).items():
        try:
            share = float(text)
        except ValueError:
            share = float("nan")
        if not 0 < share < 1:
            fields.wrong.append(f"{key}: must have shares between 0 and 1 as names, has {text!r}")
            return ()
        read.append((share, cosine))
    read.sort(key=lambda one: one[0] if rising else -one[0])
    if len(read) < 2 or any(later[1] <= before[1] for before, later in pairwise(read)):
        fields.wrong.append(
            f"{key}: must be two or more cosines that rise as the share {'rises' if rising else 'falls'}"
        )
    return tuple(read)
