"""A network as plain arrays: what is left of it when it is only to be run, in fp32 or in int8."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from checkpoints.errors import ModelError
from training.fake_quantise import RoundedNumbers
from training.folded import folded
from training.nets import Block, Net
from training.quantised import QuantisedNet, RoundedBlock, RoundedLayer

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
    scale     step of int8 to which the outputs are rounded, before the maximum; None: they are not
    """

    weights: Floats
    biases: Floats
    stride: int = 1
    groups: int = 1
    rectified: bool = False
    slopes: Floats | None = None
    pool: tuple[int, int] | None = None
    scales: Floats | None = None
    scale: float | None = None


@dataclass(frozen=True, slots=True)
class Steps:
    """The blocks in their order, each head by its name, and the step to which the input is rounded (None: not)."""

    blocks: tuple[Step, ...]
    heads: dict[str, Step]
    scale: float | None = None


def steps(net: Net | QuantisedNet) -> Steps:
    """Batch normalisation is folded into the layers, which changes nothing but the last digit."""
    heads = {"odds": net.odds, "offsets": net.offsets, "landmarks": net.landmarks}
    if isinstance(net, QuantisedNet):
        blocks = tuple(_rounded_block(block) for block in net.blocks if isinstance(block, RoundedBlock))
        return Steps(blocks, {name: _rounded(head) for name, head in heads.items()}, _scale(net.rounding))
    blocks = tuple(_block(block) for block in net.blocks if isinstance(block, Block))
    return Steps(blocks, {name: Step(_floats(head.weight), _floats(head.bias)) for name, head in heads.items()})


def _block(block: Block) -> Step:
    weights, biases = folded(block)
    stride, groups = 1, 1
    if isinstance(block.weighted, nn.Conv2d):
        stride, groups = block.weighted.stride[0], block.weighted.groups
    step = Step(_floats(weights), _floats(biases), stride, groups)
    return _rectified(step, block)


def _rounded_block(block: RoundedBlock) -> Step:
    return _rectified(replace(_rounded(block.layer), scale=_scale(block.rounding)), block)


def _rounded(layer: RoundedLayer) -> Step:
    weights = layer.weights
    scales = _floats(weights.final_steps())
    return Step(_floats(weights.full), _floats(layer.biases), layer.stride, layer.groups, scales=scales)


def _rectified(step: Step, block: Block | RoundedBlock) -> Step:
    slopes = _floats(block.rectifier.weight) if isinstance(block.rectifier, nn.PReLU) else None
    pool = (block.pool.kernel_size, block.pool.stride) if isinstance(block.pool, nn.MaxPool2d) else None
    return replace(step, rectified=True, slopes=slopes, pool=pool)


def _scale(rounding: RoundedNumbers) -> float:
    scale = float(rounding.final_step())
    if not 0 < scale < math.inf:
        raise ModelError(
            "The network is not calibrated, so it has no INT8 file.",
            saw=f"a step of {scale}",
            fix="Show it pictures (QuantisedNet.calibrate), or train it on.",
        )
    return scale


def _floats(values: Tensor) -> Floats:
    return np.array(values.detach().cpu().numpy(), np.float32)
