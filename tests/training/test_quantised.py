from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="the extra [train] is not installed")

from tests.training.settled import calibrated, looks, settled  # noqa: E402
from training.nets import Net, Said  # noqa: E402
from training.quantised import QuantisedNet, RoundedBlock  # noqa: E402
from training.shapes import Form, Part, shape  # noqa: E402

KINDS: list[tuple[Part, Form]] = [("pnet", "reference"), ("pnet", "light"), ("rnet", "plain"), ("onet", "strided")]


@torch.no_grad()
def differences(one: Said, other: Said) -> list[float]:
    return [((a - b).std() / b.std()).item() for a, b in zip(one, other, strict=True)]


@pytest.mark.parametrize(("part", "form"), KINDS)
def test_it_says_nearly_what_the_full_network_says(part: Part, form: Form) -> None:
    pictures = looks(part)
    found = differences(calibrated(part, form)(pictures), settled(part, form)(pictures))
    assert 0 < max(found) < 0.15


def test_the_full_network_stays_as_it_is() -> None:
    net = settled("pnet", "reference")
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    twin = QuantisedNet(net)
    twin.calibrate([looks("pnet")])
    with torch.no_grad():
        for parameter in twin.parameters():
            parameter.add_(1)
    assert all(torch.equal(tensor, before[name]) for name, tensor in net.state_dict().items())


@torch.no_grad()
@pytest.mark.parametrize("learned", [False, True])
def test_its_state_makes_another_one_say_the_same(learned: bool) -> None:
    """The other one is made without knowing whether steps were learned."""
    net = calibrated("rnet", "light", learned_steps=learned)
    if learned:
        for name, parameter in net.named_parameters():
            if name.endswith("growth"):
                parameter.uniform_(-0.2, 0.2)
    other = QuantisedNet(Net(shape("rnet", "light"))).eval()
    other.load_state_dict(net.state_dict())
    pictures = looks("rnet")
    assert all(torch.equal(a, b) for a, b in zip(net(pictures), other(pictures), strict=True))


@torch.no_grad()
@pytest.mark.parametrize(("part", "form"), KINDS)
def test_layers_and_heads_read_rounded_numbers(part: Part, form: Form) -> None:
    """The maximum, too, gives nothing but steps of what was rounded before it."""
    net = calibrated(part, form)
    seen = net.rounding(looks(part))
    step = net.rounding.final_step()
    for module in net.blocks:
        assert torch.allclose(seen / step, (seen / step).round(), atol=1e-3)
        seen = module(seen)
        if isinstance(module, RoundedBlock):
            step = module.rounding.final_step()
    assert torch.allclose(seen / step, (seen / step).round(), atol=1e-3)
    said = net(looks(part)).odds
    assert not torch.allclose(said / step, (said / step).round(), atol=1e-2)


def test_calibration_leaves_the_mode_and_stops_observing() -> None:
    net = QuantisedNet(settled("pnet", "plain")).eval()
    net.calibrate([looks("pnet")])
    assert not net.training
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    net.train()(100 * looks("pnet"))
    assert all(torch.equal(tensor, before[name]) for name, tensor in net.state_dict().items())


def test_observing_follows_in_training_mode_only() -> None:
    net = calibrated("pnet", "plain")
    net.observe(True)
    step = net.blocks[0].rounding.final_step()
    net.eval()(looks("pnet") * 0.1)
    assert net.blocks[0].rounding.final_step() == step
    net.train()(looks("pnet") * 0.1)
    assert net.blocks[0].rounding.final_step() < step


@torch.no_grad()
def test_half_precision_around_it_changes_nothing() -> None:
    net, pictures = calibrated("rnet", "plain"), looks("rnet")
    expected = net(pictures)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        said = net(pictures)
    assert all(torch.equal(a, b) for a, b in zip(said, expected, strict=True))


@pytest.mark.parametrize("learned", [False, True])
def test_it_learns(learned: bool) -> None:
    """All parameters that should have a gradient have one, and following it helps."""
    net = calibrated("pnet", "light", learned_steps=learned).train()
    wanted = torch.linspace(-1, 1, len(looks("pnet")))

    def loss() -> torch.Tensor:
        said = net(looks("pnet"))
        return ((said.odds.flatten() - wanted) ** 2).mean() + (said.offsets**2).mean() + (said.landmarks**2).mean()

    optimiser = torch.optim.Adam([each for each in net.parameters() if each.requires_grad], lr=1e-3)
    before = loss()
    before.backward()
    assert all(each.grad is not None and each.grad.any() for each in net.parameters() if each.requires_grad)
    assert any(name.endswith("growth") and each.requires_grad for name, each in net.named_parameters()) == learned
    for _ in range(20):
        optimiser.step()
        optimiser.zero_grad()
        loss().backward()
    assert loss() < 0.9 * before
