"""A layer and the batch normalisation behind it, computed as one layer."""

from __future__ import annotations

import torch
from torch import Tensor

from training.nets import Block


def folded(block: Block) -> tuple[Tensor, Tensor]:
    """Weights of the layer's own shape and biases (out,), from the statistics that training gathered."""
    norm, weights = block.norm, block.weighted.weight.detach().double()
    # In double precision, so that a small variance costs no digits.
    factors = norm.weight.detach().double() / torch.sqrt(norm.running_var.double() + norm.eps)
    biases = norm.bias.detach().double() - norm.running_mean.double() * factors
    scaled = weights * factors.reshape(-1, *[1] * (weights.ndim - 1))
    return scaled.float(), biases.float()
