"""A network as plain arrays: what is left of it when it is only to be run, in fp32 or in int8."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from training.folded import folded
from training.nets import Block, Net

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Step:
    """A convolution or fully connected layer, and what follows before the next.

    weights   (out, in, rows, columns), or (out, in): a fully connected layer reads what comes as one row
    biases    (out,)
    stride    and
    groups    of a convolution
    rectified what is below zero becomes zero, or `slopes` (out,) times itself
    pool      (kernel, stride) of the maximum taken afterwards
    scales    (out,) steps of int8 in which the weights are written; None: they are written as they are
    limit     the largest output that int8 holds, taken before the maximum; None: outputs are not rounded
    """

    weights: Floats
    biases: Floats
    stride: int = 1
    groups: int = 1
    rectified: bool = False
    slopes: Floats | None = None
    pool: tuple[int, int] | None = None
    scales: Floats | None = None
    limit: float | None = None


@dataclass(frozen=True, slots=True)
class Steps:
    """The blocks in their order, each head by its name, and the largest input that int8 holds (None: not rounded)."""

    blocks: tuple[Step, ...]
    heads: dict[str, Step]
    limit: float | None = None


def plain_steps(net: Net) -> Steps:
    """With batch normalisation folded into the layers, which changes nothing but the last digit."""
    blocks = tuple(_block(block) for block in net.blocks if isinstance(block, Block))
    heads = {"odds": net.odds, "offsets": net.offsets, "landmarks": net.landmarks}
    return Steps(blocks, {name: Step(floats(head.weight), floats(head.bias)) for name, head in heads.items()})


def floats(values: Tensor) -> Floats:
    return np.array(values.detach().cpu().numpy(), np.float32)


def _block(block: Block) -> Step:
    weights, biases = folded(block)
    slopes = floats(block.rectifier.weight) if isinstance(block.rectifier, nn.PReLU) else None
    pool = (block.pool.kernel_size, block.pool.stride) if isinstance(block.pool, nn.MaxPool2d) else None
    stride, groups = 1, 1
    if isinstance(block.weighted, nn.Conv2d):
        stride, groups = block.weighted.stride[0], block.weighted.groups
    return Step(floats(weights), floats(biases), stride, groups, True, slopes, pool)
