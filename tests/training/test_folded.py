from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="the extra [train] is not installed")

from torch import nn  # noqa: E402
from torch.nn import functional  # noqa: E402

from training.folded import folded  # noqa: E402
from training.nets import Block  # noqa: E402


def used(block: Block) -> Block:
    """As training leaves it, with a channel that hardly varies."""
    torch.manual_seed(3)
    nn.init.normal_(block.norm.weight)
    nn.init.normal_(block.norm.bias)
    nn.init.normal_(block.norm.running_mean)
    nn.init.uniform_(block.norm.running_var, 0.1, 4)
    block.norm.running_var[0] = 1e-7
    return block.eval()


@torch.no_grad()
@pytest.mark.parametrize("groups", [1, 4])
def test_a_convolution_says_the_same_without_the_normalisation(groups: int) -> None:
    block = used(Block(nn.Conv2d(4, 8, 3, 2, groups=groups, bias=False), 8, prelu=False))
    pictures = torch.randn(2, 4, 9, 9)
    weights, biases = folded(block)
    alone = functional.conv2d(pictures, weights, biases, 2, groups=groups)
    torch.testing.assert_close(alone, block.norm(block.weighted(pictures)), rtol=1e-4, atol=1e-4)


@torch.no_grad()
def test_so_does_a_fully_connected_layer() -> None:
    block = used(Block(nn.Linear(6, 5, bias=False), 5, prelu=False))
    rows = torch.randn(3, 6)
    weights, biases = folded(block)
    expected = block.norm(block.weighted(rows))
    torch.testing.assert_close(functional.linear(rows, weights, biases), expected, rtol=1e-4, atol=1e-4)


def test_the_block_stays_as_it_is() -> None:
    block = used(Block(nn.Linear(6, 5, bias=False), 5, prelu=True))
    before = {name: tensor.clone() for name, tensor in block.state_dict().items()}
    weights, _ = folded(block)
    weights.add_(1)
    assert all(torch.equal(tensor, before[name]) for name, tensor in block.state_dict().items())
