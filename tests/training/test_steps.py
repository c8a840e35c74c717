from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="the extra [train] is not installed")

from checkpoints.errors import ModelError  # noqa: E402
from tests.training.settled import calibrated, settled  # noqa: E402
from training.quantised import QuantisedNet  # noqa: E402
from training.steps import steps  # noqa: E402


def test_a_full_network_has_no_steps_of_int8() -> None:
    found = steps(settled("pnet", "reference"))
    assert found.scale is None
    assert [step.weights.shape for step in found.blocks] == [(10, 3, 3, 3), (16, 10, 3, 3), (32, 16, 3, 3)]
    assert [step.pool for step in found.blocks] == [(2, 2), None, None]
    assert all(step.rectified and step.scale is None and step.scales is None for step in found.blocks)
    assert [step.slopes is not None and step.slopes.shape for step in found.blocks] == [(10,), (16,), (32,)]
    assert {name: len(step.biases) for name, step in found.heads.items()} == {"odds": 1, "offsets": 4, "landmarks": 10}


def test_a_depthwise_layer_is_two_steps() -> None:
    found = steps(settled("rnet", "light")).blocks
    assert [(step.groups, step.stride) for step in found] == [(1, 2), (32, 1), (1, 1), (64, 1), (1, 1), (1, 1)]


def test_every_step_of_int8_is_told() -> None:
    net = calibrated("rnet", "strided")
    found = steps(net)
    assert found.scale == 1 / 128
    for step in found.blocks:
        assert step.scale is not None and step.scale > 0
    for step in (*found.blocks, *found.heads.values()):
        assert step.scales is not None and step.scales.shape == step.biases.shape
    assert all(step.scale is None and not step.rectified for step in found.heads.values())


def test_without_calibration_there_are_none() -> None:
    with pytest.raises(ModelError, match="not calibrated"):
        steps(QuantisedNet(settled("pnet", "plain")))
