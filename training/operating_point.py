"""From which score on a network is taken at its word.

The program cuts at the same scores for every cascade, so a network whose word counts from a lower score on says it
louder: a constant is added to its log odds. Which windows are better than which others does not change.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import TypeVar

import torch

from engines.cascade import LEAST_SCORES, log_odds
from training.nets import Net
from training.quantised import QuantisedNet
from training.shapes import PARTS, Part

AnyNet = TypeVar("AnyNet", Net, QuantisedNet)

IN_PROGRAM: Mapping[Part, float] = dict(zip(PARTS, LEAST_SCORES, strict=True))


def moved(net: AnyNet, least_score: float) -> AnyNet:
    """A copy that says the program's least score where `net` says `least_score`."""
    louder = copy.deepcopy(net)
    head = louder.odds
    biases = head.biases if isinstance(louder, QuantisedNet) else head.bias
    with torch.no_grad():
        biases += log_odds(IN_PROGRAM[net.shape.part]) - log_odds(least_score)
    return louder
