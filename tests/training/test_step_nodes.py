from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch", reason="the extra [train] is not installed")

from training.step_nodes import Nodes, whole
from training.steps import Step

WEIGHTS = np.array([[1.27, -1.27, 0.014], [0.0, 0.5, -9.0]], np.float32)
SCALES = np.array([0.01, 0.5 / 127], np.float32)


def test_weights_become_whole_numbers_of_their_own_step() -> None:
    assert whole(WEIGHTS, SCALES).tolist() == [[127, -127, 1], [0, 127, -127]]
    assert whole(WEIGHTS, SCALES).dtype == np.int8


def test_a_step_rounds_before_the_maximum_and_not_behind_it() -> None:
    made = Nodes()
    kernel = WEIGHTS.reshape(2, 3, 1, 1)
    step = Step(kernel, np.zeros(2, np.float32), rectified=True, pool=(2, 2), scales=SCALES, scale=0.25)
    assert made.step(step, "picture", "one") == "one/pooled"
    ops = [node.op for node in made.nodes]
    assert ops == ["DequantizeLinear", "Conv", "Relu", "QuantizeLinear", "DequantizeLinear", "MaxPool"]
    assert made.constants["one/rectified/scale"] == np.float32(0.25)


def test_in_full_nothing_is_rounded_and_slopes_are_kept() -> None:
    made = Nodes()
    step = Step(WEIGHTS, np.zeros(2, np.float32), rectified=True, slopes=np.array([0.1, 0.2], np.float32))
    made.step(step, "row", "one")
    assert [node.op for node in made.nodes] == ["Gemm", "PRelu"]
    assert made.constants["one/weights"] is WEIGHTS
    assert made.constants["one/slopes"].shape == (2,)  # (2, 1, 1) for a map: beside the channels, not the columns
