"""Numbers rounded as int8 would hold them, while training goes on in floating point.

Symmetric, zero point 0. Rounding lets the gradient through as if it were not there, cutting off stops it. Steps are
measured, and with `learned` each grows or shrinks by a factor of its own that training finds (learned step size, LSQ).
What is learned is the factor's logarithm: it begins at 0, can make no step negative, and means the same for small steps
as for large ones.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from training.magnitudes import Magnitudes, Method

LARGEST = 127
_MOMENTUM = 0.1
_LOOKED_AT = 1 << 17  # numbers of a batch are enough to know how large they are


class RoundedNumbers(nn.Module):
    """Of a tensor between two layers: one step for all. Takes −128, too, as QuantizeLinear does.

    As long as `observing`, and in training mode only, the step follows the batches as a moving average.
    """

    def __init__(self, method: Method, *, learned: bool = False, fixed_step: float | None = None) -> None:
        super().__init__()
        self.observing = False
        self._method, self._fixed = method, fixed_step is not None
        self._known = False
        self.register_buffer("step", torch.tensor(fixed_step or 0.0))
        self.register_buffer("zero", torch.tensor(0, dtype=torch.int32), persistent=False)
        self.growth = nn.Parameter(torch.zeros(()), requires_grad=learned and not self._fixed)

    def forward(self, values: Tensor) -> Tensor:
        if self.observing and self.training and not self._fixed:
            self._observe(values)
        self._check()
        if self.growth.requires_grad and torch.is_grad_enabled():
            return _rounded(values, _grown(self.step, self.growth, values.numel()), -LARGEST - 1)
        rounded = torch.fake_quantize_per_tensor_affine(values, self.final_step(), self.zero, -LARGEST - 1, LARGEST)
        # torch rounds what is no number to one, and a ruined network would go unnoticed.
        total = values.detach().sum()
        return rounded + (total - total)

    def final_step(self) -> Tensor:
        return (self.step * torch.exp(self.growth)).detach()

    def _observe(self, values: Tensor) -> None:
        numbers = values.detach().flatten()
        numbers = numbers[:: math.ceil(len(numbers) / _LOOKED_AT)]
        if not torch.isfinite(numbers).all():
            return  # the loss will not be a number either, and tells it
        seen = Magnitudes()
        seen.add(numbers.cpu().numpy())
        step = torch.full_like(self.step, seen.limit(self._method) / LARGEST)
        self.step.copy_(torch.lerp(self.step, step, _MOMENTUM) if self.step > 0 else step)

    def _check(self) -> None:
        """Only once it is asked whether the step is known: on a GPU each look at a number waits for the device."""
        if not self._known and not self.step > 0:
            raise RuntimeError("nothing is known of how large these numbers become: calibrate first")
        self._known = True


class RoundedWeights(nn.Module):
    """Of a convolution or a fully connected layer: one step for each output, as large as its largest weight needs.

    Learned steps begin there and are kept: `steps` of 0 says that they follow the weights.
    """

    def __init__(self, weights: Tensor, *, learned: bool = False) -> None:
        super().__init__()
        self.full = nn.Parameter(weights.detach().clone())
        self.register_buffer("steps", _steps(self.full) if learned else torch.zeros(len(weights)))
        self.growth = nn.Parameter(torch.zeros(len(weights)), requires_grad=learned)

    def forward(self) -> Tensor:
        steps = self.final_steps()
        if self.growth.requires_grad and torch.is_grad_enabled():
            steps = _grown(self.steps, self.growth, self.full[0].numel())
        return _rounded(self.full, steps.reshape(-1, *[1] * (self.full.ndim - 1)), -LARGEST)

    def final_steps(self) -> Tensor:
        kept = (self.steps * torch.exp(self.growth)).detach()
        return torch.where(self.steps > 0, kept, _steps(self.full))


def _steps(weights: Tensor) -> Tensor:
    largest = weights.detach().flatten(1).abs().amax(dim=1)
    return torch.where(largest > 0, largest / LARGEST, 1.0)  # an output of nothing but zeros may have any step but 0


def _grown(step: Tensor, growth: Tensor, numbers: int) -> Tensor:
    """The gradient is made smaller by how many numbers it is summed over, so that steps learn as fast as weights."""
    share = 1 / math.sqrt(numbers * LARGEST)
    slow = growth * share
    return step * torch.exp(slow + (growth - slow).detach())


def _rounded(values: Tensor, step: Tensor, least: int) -> Tensor:
    held = torch.clamp(values / step, least, LARGEST)
    return (held + (torch.round(held) - held).detach()) * step
