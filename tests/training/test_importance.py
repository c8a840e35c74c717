from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="the extra [train] is not installed")

from tests.training import three_networks  # noqa: E402
from tests.training.settled import settled  # noqa: E402
from training.cost import multiplications  # noqa: E402
from training.course import Course  # noqa: E402
from training.importance import By, choose, importance  # noqa: E402
from training.shapes import PARTS, Part, shape  # noqa: E402
from training.slimming import stages, with_widths  # noqa: E402


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("by", ["scale", "taylor"])
def test_channels_that_say_nothing_are_the_least_important(by: By, part: Part) -> None:
    net = settled(part, "light" if part == "rnet" else "plain")
    silent = []
    with torch.no_grad():
        for number, stage in enumerate(each for each in stages(net) if not each.apart):
            silent.append(number % 3)
            stage.block.norm.weight[number % 3] = 0
            stage.block.norm.bias[number % 3] = 0
    found = importance(net, by, three_networks.pieces(part, 96), Course())
    assert [len(each) for each in found] == list(net.shape.widths)
    for each, quiet in zip(found, silent, strict=True):
        assert each[quiet] == 0
        assert each.square().mean() == pytest.approx(1, rel=1e-4)
    assert all(values.grad is None for values in net.parameters())


def test_the_gradient_tells_the_same_twice() -> None:
    net, pieces = settled("pnet", "plain"), three_networks.pieces("pnet", 300)
    once, again = (importance(net, "taylor", pieces, Course()) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(once, again, strict=True))


@pytest.mark.parametrize("multiple", [1, 4])
@pytest.mark.parametrize("part", PARTS)
def test_as_much_is_cut_as_is_wanted_and_the_weakest_first(part: Part, multiple: int) -> None:
    known = shape(part, "large")
    importances = [torch.arange(1.0, width + 1) for width in known.widths]
    most = 0.3 * multiplications(known)
    kept = choose(known, importances, most, multiple)
    assert multiplications(with_widths(known, [len(each) for each in kept])) <= most
    for each, width in zip(kept, known.widths, strict=True):
        assert len(each) % multiple == 0
        assert each.tolist() == list(range(width - len(each), width))


def test_what_loses_least_for_the_work_it_saves_goes_first() -> None:
    known = shape("rnet", "plain")
    importances = [torch.ones(width) for width in known.widths]
    importances[1][8:] = 1e-6
    kept = choose(known, importances, 0.7 * multiplications(known), 4)
    assert len(kept[0]) == known.widths[0]
    assert len(kept[1]) < known.widths[1]
    assert kept[1].tolist()[:8] == list(range(8))


def test_every_layer_keeps_some_channels_whatever_is_asked() -> None:
    known = shape("pnet", "plain")
    kept = choose(known, [torch.ones(width) for width in known.widths], 0, 4)
    assert [len(each) for each in kept] == [4, 4, 4]
