"""Networks with weights by chance, but with the statistics of real pictures: they say different things of each."""

from __future__ import annotations

import torch
from torch import Tensor

from training.agreement import pieces
from training.nets import Net, normal
from training.quantised import QuantisedNet
from training.shapes import WINDOW_PX, Form, Part, shape


def looks(part: Part) -> Tensor:
    return normal(torch.from_numpy(pieces(WINDOW_PX[part])))


def settled(part: Part, form: Form) -> Net:
    torch.manual_seed(7)
    net = Net(shape(part, form))
    for module in net.modules():
        if isinstance(module, (torch.nn.BatchNorm1d, torch.nn.BatchNorm2d)):
            module.momentum = None  # a plain mean
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.uniform_(module.bias, -0.5, 0.5)
    with torch.no_grad():
        net(looks(part))
    return net.eval()


def calibrated(part: Part, form: Form, *, learned_steps: bool = False) -> QuantisedNet:
    net = QuantisedNet(settled(part, form), learned_steps=learned_steps).eval()
    net.calibrate([looks(part)])
    return net
