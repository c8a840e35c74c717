from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="the extra [train] is not installed")
pytest.importorskip("onnx", reason="the extra [train] is not installed")

from checkpoints.errors import ModelError  # noqa: E402
from tests.training.settled import calibrated, settled  # noqa: E402
from training.agreement import PIECES, agreement, pieces  # noqa: E402
from training.checkpoint import AnyNet  # noqa: E402
from training.export import onnx_bytes, outputs  # noqa: E402
from training.shapes import Form, Part  # noqa: E402

KINDS: list[tuple[Part, Form]] = [("pnet", "large"), ("pnet", "reference"), ("rnet", "light"), ("onet", "strided")]


def test_pieces_are_the_same_each_time_and_not_all_alike() -> None:
    first = pieces(24)
    assert first.shape == (PIECES, 24, 24, 3)
    assert (first == pieces(24)).all()
    assert first.std(axis=0).mean() > 20


@pytest.mark.parametrize(("part", "form"), KINDS)
def test_a_file_in_full_says_what_its_network_says(part: Part, form: Form) -> None:
    net = settled(part, form)
    found = agreement(net, onnx_bytes(net), outputs(net.shape))
    assert found.in_file < 1e-4
    assert found.in_engine < 1e-4
    assert found.alike == 1


@pytest.mark.parametrize(("part", "form"), KINDS)
def test_a_file_in_int8_says_what_its_network_says(part: Part, form: Form) -> None:
    """In the engine it also computes in int8: it comes nearer to the network that rounds than to the full one."""
    net = calibrated(part, form)
    found = agreement(net, onnx_bytes(net), outputs(net.shape))
    assert found.in_file < 0.03
    assert found.in_engine < 0.08
    assert found.alike >= 0.95


def _scaled(net: AnyNet) -> None:
    net.odds.weights.full.mul_(1.5)


def _biased(net: AnyNet) -> None:
    net.offsets.biases.add_(1.0)


def _coarse(net: AnyNet) -> None:
    net.blocks[0].rounding.step.mul_(8.0)


@torch.no_grad()
@pytest.mark.parametrize("change", [_scaled, _biased, _coarse])
def test_the_file_of_another_network_is_refused(change: object) -> None:
    net = calibrated("rnet", "strided")
    raw = onnx_bytes(net)
    change(net)  # type: ignore[operator]
    with pytest.raises(ModelError, match="does not say what the network says"):
        agreement(net, raw, outputs(net.shape))


def test_the_network_stays_in_its_mode() -> None:
    net = calibrated("pnet", "plain").train()
    agreement(net, onnx_bytes(net), outputs(net.shape))
    assert net.training
