from __future__ import annotations

from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="the extra [train] is not installed")

from training.cost import multiplications  # noqa: E402
from training.nets import Net  # noqa: E402
from training.shapes import FORMS, PARTS, WINDOW_PX, Form, Part, shape  # noqa: E402


def _counted(net: Net, side: int) -> float:
    """By looking at every layer that runs; without P-Net's and R-Net's landmarks, which are for training alone."""
    total = 0.0

    def count(module: Any, inputs: Any, output: Any) -> None:
        nonlocal total
        total += output.shape[2:].numel() * module.weight.numel()

    idle = net.landmarks if net.shape.part != "onet" else None
    for module in net.modules():
        if isinstance(module, (torch.nn.Conv2d, torch.nn.Linear)) and module is not idle:
            module.register_forward_hook(count)
    with torch.no_grad():
        net.eval()(torch.zeros(1, 3, side, side))
    return total


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("part", PARTS)
def test_it_is_what_the_layers_multiply(part: Part, form: Form) -> None:
    known = shape(part, form)
    side = 960 if part == "pnet" else WINDOW_PX[part]
    counted = _counted(Net(known), side)
    assert multiplications(known) == pytest.approx(counted / side**2 if part == "pnet" else counted)
