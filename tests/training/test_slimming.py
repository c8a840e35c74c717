from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="the extra [train] is not installed")

from torch import nn  # noqa: E402

from tests.training.settled import looks, settled  # noqa: E402
from training.nets import Net  # noqa: E402
from training.shapes import PARTS, Form, Part  # noqa: E402
from training.slimming import slim, stages  # noqa: E402

FORMS: tuple[Form, ...] = ("reference", "light", "strided")


def _deafen(net: Net, kept: list[torch.Tensor]) -> None:
    """Nobody listens any more to the channels that are not kept."""
    with torch.no_grad():
        for stage in stages(net):
            if stage.before == 0 or stage.apart:
                continue
            gone = _others(net, kept, stage.before)
            weights = stage.block.weighted.weight
            if isinstance(stage.block.weighted, nn.Linear):
                weights.reshape(len(weights), net.shape.widths[stage.before - 1], -1)[:, gone] = 0
            else:
                weights[:, gone] = 0
        for head in (net.odds, net.offsets, net.landmarks):
            head.weight[:, _others(net, kept, len(kept))] = 0


def _others(net: Net, kept: list[torch.Tensor], number: int) -> list[int]:
    return sorted(set(range(net.shape.widths[number - 1])) - set(kept[number - 1].tolist()))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("part", PARTS)
def test_channels_that_nobody_listens_to_can_go(part: Part, form: Form) -> None:
    net = settled(part, form)
    kept = [torch.arange(width)[width % 3 :: 3] for width in net.shape.widths]
    _deafen(net, kept)
    small = slim(net, kept)
    assert small.shape.widths == tuple(len(places) for places in kept)
    assert not small.training
    pictures = looks(part)
    with torch.no_grad():
        for mine, theirs in zip(small(pictures), net(pictures), strict=True):
            torch.testing.assert_close(mine, theirs, atol=1e-5, rtol=1e-4)


def test_with_all_channels_it_is_a_copy() -> None:
    net = settled("rnet", "plain")
    small = slim(net, [torch.arange(width) for width in net.shape.widths])
    assert small.shape == net.shape
    for name, values in net.state_dict().items():
        assert torch.equal(small.state_dict()[name], values)
    with torch.no_grad():
        small.odds.bias += 1
    assert not torch.equal(small.odds.bias, net.odds.bias)
