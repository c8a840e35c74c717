"""A network that computes in training as its INT8 file will compute: the twin of `Net` for quantisation-aware training.

The pairs stand where `checkpoints.quantise` puts them: on the input, and after each rectifier, before a maximum and not
again behind it. The heads read rounded numbers and have rounded weights; what they say stays in floating point.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn import functional

from training.fake_quantise import RoundedNumbers, RoundedWeights
from training.folded import folded
from training.magnitudes import Method
from training.nets import SCALE, Block, Net, Said


class RoundedLayer(nn.Module):
    """A convolution or fully connected layer with rounded weights and full biases."""

    def __init__(self, layer: nn.Module, weights: Tensor, biases: Tensor, *, learned: bool) -> None:
        super().__init__()
        self.weights = RoundedWeights(weights, learned=learned)
        self.biases = nn.Parameter(biases.detach().clone())
        is_dense = isinstance(layer, nn.Linear)
        self.stride: int = 1 if is_dense else layer.stride[0]
        self.groups: int = 1 if is_dense else layer.groups

    def forward(self, values: Tensor) -> Tensor:
        weights = self.weights()
        if weights.ndim == 2:
            return functional.linear(values, weights, self.biases)
        return functional.conv2d(values, weights, self.biases, self.stride, groups=self.groups)


class RoundedBlock(nn.Module):
    """A block of `Net`, its batch normalisation folded into the layer, and its output rounded."""

    def __init__(self, block: Block, method: Method, *, learned: bool) -> None:
        super().__init__()
        self.layer = RoundedLayer(block.weighted, *folded(block), learned=learned)
        is_prelu = isinstance(block.rectifier, nn.PReLU)
        self.rectifier: nn.Module = nn.PReLU(len(block.rectifier.weight)) if is_prelu else nn.ReLU()
        self.rectifier.load_state_dict(block.rectifier.state_dict())
        self.rounding = RoundedNumbers(method, learned=learned)
        self.pool = block.pool

    def forward(self, values: Tensor) -> Tensor:
        return self.pool(self.rounding(self.rectifier(self.layer(values))))


class QuantisedNet(nn.Module):
    """Takes what `Net` takes and says what it says, in its own weights: `net` stays as it is.

    Before anything is rounded, `calibrate` has to see pictures.
    """

    def __init__(self, net: Net, *, learned_steps: bool = False, method: Method = "max") -> None:
        super().__init__()
        self.shape = net.shape
        self.rounding = RoundedNumbers(method, fixed_step=SCALE)  # takes bytes as they are
        blocks = [
            RoundedBlock(block, method, learned=learned_steps) if isinstance(block, Block) else nn.Flatten()
            for block in net.blocks
        ]
        self.blocks = nn.Sequential(*blocks)
        self.odds, self.offsets, self.landmarks = (
            RoundedLayer(head, head.weight, head.bias, learned=learned_steps)
            for head in (net.odds, net.offsets, net.landmarks)
        )
        self.to(net.odds.weight.device)

    def forward(self, pictures: Tensor) -> Said:
        # Half precision has too few digits to tell the steps of int8 apart.
        with torch.autocast(pictures.device.type, enabled=False):
            seen = self.blocks(self.rounding(pictures.float()))
            return Said(self.odds(seen), self.offsets(seen), self.landmarks(seen))

    def observe(self, on: bool) -> None:
        """Whether the steps between layers follow what is shown in training mode."""
        for module in self.modules():
            if isinstance(module, RoundedNumbers):
                module.observing = on

    def calibrate(self, batches: Iterable[Tensor]) -> None:
        """From pictures as `forward` takes them: some thousand, of all kinds."""
        training = self.training
        self.train()
        self.observe(True)
        with torch.no_grad():
            for pictures in batches:
                self(pictures)
        self.observe(False)
        self.train(training)
