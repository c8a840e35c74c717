"""A network with some of its channels taken out, and all the others as they were."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from training.nets import Block, Net
from training.shapes import Shape


@dataclass(frozen=True, slots=True)
class Stage:
    """A block, and which of the network's widths it has before and behind it; 0 are the colours of the picture.

    apart  each channel by itself: what goes out is as many as what comes in
    """

    block: Block
    before: int
    behind: int
    apart: bool


def stages(net: Net) -> Iterator[Stage]:
    blocks = iter([block for block in net.blocks if isinstance(block, Block)])
    for number, layer in enumerate(net.shape.layers, start=1):
        if layer.depthwise:
            yield Stage(next(blocks), number - 1, number - 1, True)
        yield Stage(next(blocks), number - 1, number, False)
    if net.shape.dense is not None:
        last = len(net.shape.layers)
        yield Stage(next(blocks), last, last + 1, False)


def with_widths(shape: Shape, widths: Sequence[int]) -> Shape:
    """`widths` in the order of `shape.widths`."""
    count = len(shape.layers)
    layers = tuple(replace(layer, width=width) for layer, width in zip(shape.layers, widths, strict=False))
    return replace(shape, layers=layers, dense=None if shape.dense is None else widths[count])


def slim(net: Net, kept: Sequence[Tensor]) -> Net:
    """A network of its own with those channels that are named: for each of `net.shape.widths` their places, rising."""
    small = Net(with_widths(net.shape, [len(places) for places in kept]))
    small.to(net.odds.weight.device)
    own = [torch.arange(3), *kept]
    with torch.no_grad():
        for old, new in zip(stages(net), stages(small), strict=True):
            _copy_block(old, new.block, own[old.before], own[old.behind])
        for name in ("odds", "offsets", "landmarks"):
            head, source = getattr(small, name), getattr(net, name)
            head.weight.copy_(source.weight[:, own[-1]])
            head.bias.copy_(source.bias)
    small.train(net.training)
    return small


def _copy_block(old: Stage, block: Block, before: Tensor, behind: Tensor) -> None:
    weights = old.block.weighted.weight[behind]
    if isinstance(old.block.weighted, nn.Linear) and isinstance(block.weighted, nn.Linear):
        # A fully connected layer reads a map as one row: all places of the first channel, then of the second …
        places = block.weighted.in_features // len(before)
        weights = weights.reshape(len(behind), -1, places)[:, before].reshape(len(behind), -1)
    elif not old.apart:
        weights = weights[:, before]
    block.weighted.weight.copy_(weights)
    for name in ("weight", "bias", "running_mean", "running_var"):
        getattr(block.norm, name).copy_(getattr(old.block.norm, name)[behind])
    block.norm.num_batches_tracked.copy_(old.block.norm.num_batches_tracked)
    if isinstance(block.rectifier, nn.PReLU):
        block.rectifier.weight.copy_(old.block.rectifier.weight[behind])
