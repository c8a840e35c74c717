"""Which channels of a network matter, and which ones to take out so that it multiplies less."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from training.batches import plain
from training.cost import multiplications
from training.course import Course
from training.losses import losses, weighted
from training.nets import Net
from training.samples import Pieces
from training.shapes import Shape
from training.slimming import stages, with_widths

By = Literal["scale", "taylor"]

_BATCH, _PIECES = 256, 8192


def importance(net: Net, by: By, pieces: Pieces, course: Course) -> list[Tensor]:
    """For each of the network's widths a number above 0 for each channel; those of a width are 1 in the mean square.

    scale   how far batch normalisation spreads what the channel says
    taylor  how much the loss would change without it, as far as the gradient tells
    """
    raw = _scales(net) if by == "scale" else _changes(net, pieces, course)
    return [each / each.square().mean().sqrt().clamp(min=1e-12) for each in raw]


def choose(shape: Shape, importances: Sequence[Tensor], most: float, multiple: int) -> list[Tensor]:
    """The channels to keep so that no more than `most` is multiplied.

    Step by step that width gives up its `multiple` weakest channels which loses least for each multiplication saved;
    runtimes compute several channels at once, and gain nothing from odd numbers of them.
    """
    orders = [torch.argsort(each, descending=True, stable=True) for each in importances]
    widths = list(shape.widths)
    while (now := multiplications(with_widths(shape, widths))) > most:
        losses_each = dict(_offers(shape, importances, orders, widths, multiple, now))
        if not losses_each:
            break
        at = min(losses_each, key=lambda number: losses_each[number])
        widths[at] -= _step(widths[at], multiple)
    return [order[:width].sort().values for order, width in zip(orders, widths, strict=True)]


def _offers(
    shape: Shape,
    importances: Sequence[Tensor],
    orders: Sequence[Tensor],
    widths: Sequence[int],
    multiple: int,
    now: float,
) -> Iterator[tuple[int, float]]:
    """Of each width that can give up channels: what is lost for each multiplication saved."""
    for at, width in enumerate(widths):
        step = _step(width, multiple)
        if width - step < multiple:
            continue
        fewer = [*widths[:at], width - step, *widths[at + 1 :]]
        lost = float(importances[at][orders[at][width - step : width]].square().sum())
        yield at, lost / (now - multiplications(with_widths(shape, fewer)))


def _step(width: int, multiple: int) -> int:
    return width % multiple or multiple


def _scales(net: Net) -> list[Tensor]:
    return [stage.block.norm.weight.detach().abs().cpu() for stage in stages(net) if not stage.apart]


def _changes(net: Net, pieces: Pieces, course: Course) -> list[Tensor]:
    """The mean over the pieces of |gradient · value|, summed over the places of each channel's map."""
    kept = [stage.block for stage in stages(net) if not stage.apart]
    sums = [torch.zeros(width) for width in net.shape.widths]
    said: list[Tensor] = []

    def keep(_module: object, _inputs: object, output: Tensor) -> None:
        output.retain_grad()
        said.append(output)

    was_training = net.training
    net.eval()
    hooks = [block.register_forward_hook(keep) for block in kept]
    try:
        for batch in _some(pieces, course.seed):
            said.clear()
            device = net.odds.weight.device
            pictures, kinds, offsets, landmarks = (each.to(device) for each in batch[:4])
            weighted(losses(net(pictures), kinds, offsets, landmarks, course), course).backward()
            for total, values in zip(sums, said, strict=True):
                assert values.grad is not None
                change = (values.grad * values).detach().flatten(2) if values.ndim > 2 else values.grad * values
                total += (change.sum(2) if change.ndim > 2 else change).detach().abs().sum(0).cpu()
    finally:
        for hook in hooks:
            hook.remove()
        net.zero_grad(set_to_none=True)
        net.train(was_training)
    return sums


def _some(pieces: Pieces, seed: int) -> Iterator[tuple[Tensor, ...]]:
    count = min(_PIECES, len(pieces))
    chosen = np.sort(np.random.default_rng(seed).permutation(len(pieces))[:count])
    # Every batch must hold all kinds, and samples lie in the order in which they were mined.
    for offset in range(batches := -(-count // _BATCH)):
        yield plain(pieces.at(chosen[offset::batches]))[:4]
