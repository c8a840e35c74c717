"""P-Net, R-Net and O-Net: from a picture's bytes, made small numbers, to log odds, box and landmarks."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from training.shapes import WINDOW_PX, Layer, Shape

# Takes bytes exactly into int8: (0 … 255) − 128, and 1/128 a step.
MEAN, SCALE = 128.0, 1 / 128

LANDMARK_NUMBERS = 10


class Said(NamedTuple):
    """Of N pictures; P-Net says it for each place of its map, (N, …, rows, columns).

    odds       (N, 1) log odds that there is a face
    offsets    (N, 4) how far the face's edges x1, y1, x2, y2 are from the window's, in widths and heights of the window
    landmarks  (N, 10) x1 … x5, y1 … y5, in widths and heights of the window from its corner
    """

    odds: Tensor
    offsets: Tensor
    landmarks: Tensor


class Block(nn.Module):
    """A convolution or a fully connected layer with batch normalisation, a rectifier, and perhaps a maximum."""

    def __init__(self, weighted: nn.Module, width: int, *, prelu: bool, pool: tuple[int, int] | None = None) -> None:
        super().__init__()
        self.weighted = weighted
        self.norm: nn.Module = nn.BatchNorm1d(width) if isinstance(weighted, nn.Linear) else nn.BatchNorm2d(width)
        self.rectifier: nn.Module = nn.PReLU(width) if prelu else nn.ReLU()
        self.pool: nn.Module = nn.MaxPool2d(*pool) if pool else nn.Identity()

    def forward(self, values: Tensor) -> Tensor:
        return self.pool(self.rectifier(self.norm(self.weighted(values))))


class Net(nn.Module):
    """`blocks` one after the other, then the heads. Pictures (N, 3, H, W) are blue-green-red, made small (`normal`)."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        blocks: list[nn.Module] = []
        width = 3
        side = WINDOW_PX[shape.part]
        for layer in shape.layers:
            blocks += _blocks(layer, width, prelu=shape.prelu)
            width = layer.width
            side = (side - layer.kernel) // layer.stride + 1
            if layer.pool:
                side = (side - layer.pool[0]) // layer.pool[1] + 1
        if shape.dense is not None:
            blocks.append(nn.Flatten())
            dense = nn.Linear(width * side * side, shape.dense, bias=False)
            blocks.append(Block(dense, shape.dense, prelu=shape.prelu))
            width = shape.dense
        self.blocks = nn.Sequential(*blocks)
        self.odds, self.offsets, self.landmarks = (_head(shape, width, numbers) for numbers in (1, 4, LANDMARK_NUMBERS))

    def forward(self, pictures: Tensor) -> Said:
        seen = self.blocks(pictures)
        return Said(self.odds(seen), self.offsets(seen), self.landmarks(seen))


def normal(pixels: Tensor) -> Tensor:
    """(N, H, W, 3) bytes → (N, 3, H, W) as the networks take them."""
    return (pixels.permute(0, 3, 1, 2).to(torch.float32) - MEAN) * SCALE


def _blocks(layer: Layer, width: int, *, prelu: bool) -> list[nn.Module]:
    if not layer.depthwise:
        plain = nn.Conv2d(width, layer.width, layer.kernel, layer.stride, bias=False)
        return [Block(plain, layer.width, prelu=prelu, pool=layer.pool)]
    apart = nn.Conv2d(width, width, layer.kernel, layer.stride, groups=width, bias=False)
    mixing = nn.Conv2d(width, layer.width, 1, bias=False)
    return [Block(apart, width, prelu=prelu), Block(mixing, layer.width, prelu=prelu, pool=layer.pool)]


def _head(shape: Shape, width: int, numbers: int) -> nn.Module:
    return nn.Conv2d(width, numbers, 1) if shape.dense is None else nn.Linear(width, numbers)
