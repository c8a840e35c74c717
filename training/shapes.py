"""The three networks as data: how wide each layer is, and in which of its forms a network comes.

A form is a way of spending time. All forms of a part look at the same window (12, 24 and 48 pixels) and give the same
outputs, so any form may stand in the cascade.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from checkpoints.errors import DataError

Part = Literal["pnet", "rnet", "onet"]
Form = Literal["reference", "plain", "large", "light", "strided"]
PARTS: tuple[Part, ...] = get_args(Part)
FORMS: tuple[Form, ...] = get_args(Form)

WINDOW_PX = {"pnet": 12, "rnet": 24, "onet": 48}


@dataclass(frozen=True, slots=True)
class Layer:
    """A convolution without padding, batch normalisation and a rectifier, and what may follow.

    depthwise  each channel by itself, and then a convolution of 1 × 1 that mixes them
    pool       (kernel, stride) of the maximum taken afterwards
    """

    width: int
    kernel: int
    stride: int = 1
    pool: tuple[int, int] | None = None
    depthwise: bool = False


@dataclass(frozen=True, slots=True)
class Shape:
    """layers  in their order
    dense   numbers after the fully connected layer; None: the network is convolutional to the end and takes any size
    prelu   the rectifier of the published networks, with a slope for each channel below zero
    """

    part: Part
    layers: tuple[Layer, ...]
    dense: int | None
    prelu: bool = False

    @property
    def widths(self) -> tuple[int, ...]:
        """Of the layers, and of the fully connected one behind them: what pruning makes smaller."""
        return tuple(layer.width for layer in self.layers) + (() if self.dense is None else (self.dense,))


def shape(part: Part, form: Form) -> Shape:
    if (part, form) not in _SHAPES:
        valid = ", ".join(each for known, each in _SHAPES if known == part)
        raise DataError(f"{part} does not come in this form.", saw=form, fix=f"Valid: {valid}.")
    return _SHAPES[part, form]


_SHAPES: dict[tuple[Part, Form], Shape] = {
    ("pnet", "reference"): Shape("pnet", (Layer(10, 3, pool=(2, 2)), Layer(16, 3), Layer(32, 3)), None, prelu=True),
    ("pnet", "plain"): Shape("pnet", (Layer(10, 3, pool=(2, 2)), Layer(16, 3), Layer(32, 3)), None),
    ("pnet", "large"): Shape("pnet", (Layer(16, 3, pool=(2, 2)), Layer(32, 3), Layer(64, 3)), None),
    ("pnet", "light"): Shape(
        "pnet", (Layer(16, 3, pool=(2, 2)), Layer(24, 3, depthwise=True), Layer(48, 3, depthwise=True)), None
    ),
    # A kernel of four sees the same twelve pixels as three and a maximum of two, at a quarter of the places.
    ("pnet", "strided"): Shape("pnet", (Layer(16, 4, stride=2), Layer(32, 3), Layer(48, 3)), None),
    ("rnet", "reference"): Shape(
        "rnet", (Layer(28, 3, pool=(2, 2)), Layer(48, 3, pool=(3, 2)), Layer(64, 2)), 128, prelu=True
    ),
    ("rnet", "plain"): Shape("rnet", (Layer(32, 3, pool=(2, 2)), Layer(48, 3, pool=(3, 2)), Layer(64, 2)), 128),
    ("rnet", "large"): Shape("rnet", (Layer(32, 3, pool=(2, 2)), Layer(64, 3, pool=(3, 2)), Layer(96, 2)), 192),
    ("rnet", "strided"): Shape("rnet", (Layer(32, 4, stride=2), Layer(64, 3, pool=(3, 2)), Layer(96, 2)), 128),
    ("rnet", "light"): Shape(
        "rnet",
        (
            Layer(32, 4, stride=2),
            Layer(64, 3, pool=(3, 2), depthwise=True),
            Layer(96, 2, depthwise=True),
        ),
        128,
    ),
    ("onet", "reference"): Shape(
        "onet",
        (Layer(32, 3, pool=(2, 2)), Layer(64, 3, pool=(3, 2)), Layer(64, 3, pool=(2, 2)), Layer(128, 2)),
        256,
        prelu=True,
    ),
    ("onet", "plain"): Shape(
        "onet", (Layer(32, 3, pool=(2, 2)), Layer(64, 3, pool=(3, 2)), Layer(64, 3, pool=(2, 2)), Layer(128, 2)), 256
    ),
    ("onet", "large"): Shape(
        "onet", (Layer(32, 3, pool=(2, 2)), Layer(64, 3, pool=(3, 2)), Layer(128, 3, pool=(2, 2)), Layer(128, 2)), 256
    ),
    ("onet", "strided"): Shape(
        "onet", (Layer(32, 4, stride=2), Layer(64, 3, pool=(3, 2)), Layer(96, 3, pool=(2, 2)), Layer(128, 2)), 256
    ),
    ("onet", "light"): Shape(
        "onet",
        (
            Layer(32, 4, stride=2),
            Layer(64, 3, pool=(3, 2), depthwise=True),
            Layer(96, 3, pool=(2, 2), depthwise=True),
            Layer(128, 2, depthwise=True),
        ),
        256,
    ),
}
