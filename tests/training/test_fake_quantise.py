from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the extra [train] is not installed")

from training.fake_quantise import LARGEST, RoundedNumbers, RoundedWeights  # noqa: E402


def knowing(step: float, *, learned: bool = False) -> RoundedNumbers:
    rounding = RoundedNumbers("max", learned=learned)
    rounding.step.fill_(step)
    return rounding


@pytest.mark.parametrize("learned", [False, True])
def test_numbers_lie_on_steps_and_are_cut_off_where_int8_ends(learned: bool) -> None:
    values = torch.tensor([0.0, 0.24, 0.26, -0.74, 63.4, 64.0, 900.0, -64.2, -900.0])
    rounded = knowing(0.5, learned=learned)(values)
    assert rounded.tolist() == [0.0, 0.0, 0.5, -0.5, 63.5, 63.5, 63.5, -64.0, -64.0]


@pytest.mark.parametrize("learned", [False, True])
def test_the_gradient_passes_the_rounding_but_not_what_was_cut_off(learned: bool) -> None:
    values = torch.tensor([0.3, -5.2, 70.0, -70.0], requires_grad=True)
    (knowing(0.5, learned=learned)(values) * torch.tensor([1.0, 2.0, 4.0, 8.0])).sum().backward()
    assert values.grad.tolist() == [1.0, 2.0, 0.0, 0.0]


def test_bytes_go_into_int8_as_they_are() -> None:
    rounding = RoundedNumbers("max", fixed_step=1 / 128)
    rounding.observing = True
    numbers = (torch.arange(256) - 128) / 128
    assert torch.equal(rounding(numbers), numbers)
    rounding(torch.tensor([1000.0]))
    assert rounding.final_step() == 1 / 128  # whatever is shown


def test_without_calibration_nothing_is_rounded_to_nothing() -> None:
    with pytest.raises(RuntimeError, match="calibrate"):
        RoundedNumbers("max")(torch.ones(3))


def test_a_step_follows_the_batches_as_long_as_it_observes() -> None:
    rounding = RoundedNumbers("max")
    rounding.observing = True
    rounding(torch.tensor([-127.0, 3.0]))
    assert rounding.final_step() == 1
    rounding(torch.tensor([254.0]))
    assert 1 < rounding.final_step() < 2
    for _ in range(100):
        rounding(torch.tensor([254.0]))
    assert rounding.final_step() == pytest.approx(2, abs=0.01)
    rounding.observing = False
    rounding(torch.tensor([1e6]))
    assert rounding.final_step() == pytest.approx(2, abs=0.01)


def test_a_step_does_not_learn_from_what_it_is_only_tried_on() -> None:
    rounding = knowing(0.5).eval()
    rounding.observing = True
    rounding(torch.tensor([1e6]))
    assert rounding.final_step() == 0.5


@pytest.mark.parametrize("learned", [False, True])
@pytest.mark.parametrize("observing", [False, True])
def test_what_is_no_number_stays_none_and_moves_no_step(learned: bool, observing: bool) -> None:
    """Training stops at a loss that is not a number; torch's own rounding would hide it."""
    rounding = knowing(0.5, learned=learned)
    rounding.observing = observing
    assert rounding(torch.tensor([1.0, float("nan")])).isnan().any()
    assert rounding.final_step() == 0.5


def test_each_output_has_the_step_that_its_largest_weight_needs() -> None:
    torch.manual_seed(1)
    weights = torch.randn(5, 3, 3, 3) * torch.tensor([1e-3, 1, 50, 0, 1]).reshape(-1, 1, 1, 1)
    layer = RoundedWeights(weights)
    steps = layer.final_steps()
    whole = layer() / steps.reshape(-1, 1, 1, 1)
    assert torch.allclose(whole, whole.round(), atol=1e-4)
    assert (whole.abs().flatten(1).amax(1)[[0, 1, 2, 4]] - LARGEST).abs().max() < 1e-4
    assert ((layer() - weights).abs() <= 0.5001 * steps.reshape(-1, 1, 1, 1)).all()
    assert not layer()[3].any()


def test_steps_of_weights_follow_the_weights_unless_they_are_learned() -> None:
    weights = torch.tensor([[1.0, -2.0], [0.5, 0.25]])
    following, learned = RoundedWeights(weights), RoundedWeights(weights, learned=True)
    for layer in (following, learned):
        with torch.no_grad():
            layer.full.mul_(2)
    assert following.final_steps().tolist() == pytest.approx([4 / 127, 1 / 127])
    assert learned.final_steps().tolist() == pytest.approx([2 / 127, 0.5 / 127])
    assert learned().tolist()[0] == pytest.approx([2.0, -2.0])


def test_weights_have_no_step_below_the_least_of_a_symmetric_range() -> None:
    layer = RoundedWeights(torch.tensor([[1.0, 0.5]]), learned=True)
    with torch.no_grad():
        layer.full.copy_(torch.tensor([[-9.0, 0.5]]))
    assert layer().detach().tolist()[0] == pytest.approx([-1.0, 0.5], abs=0.004)


def test_a_step_that_learns_finds_a_better_one() -> None:
    """Ten times too large at first, so that most numbers are rounded to nothing."""
    values = torch.from_numpy(np.random.default_rng(1).uniform(-1, 1, 2000).astype(np.float32))
    rounding = knowing(10 / LARGEST, learned=True)
    optimiser = torch.optim.Adam(rounding.parameters(), lr=0.05)

    def error() -> torch.Tensor:
        return ((rounding(values) - values) ** 2).mean()

    before = error().item()
    for _ in range(100):
        optimiser.zero_grad()
        error().backward()
        optimiser.step()
    assert error().item() < before / 20
    assert 0.5 / LARGEST < rounding.final_step() < 2 / LARGEST


def test_the_gradient_of_a_step_is_that_of_the_paper() -> None:
    """round(v/s) − v/s inside and the limit outside, times the step (its logarithm is learned) and made smaller."""
    values = torch.tensor([0.3, 80.0, -80.0])
    rounding = knowing(0.5, learned=True)
    rounding(values).sum().backward()
    inside = round(0.3 / 0.5) - 0.3 / 0.5
    expected = (inside + 127 - 128) * 0.5 / np.sqrt(3 * LARGEST)
    assert rounding.growth.grad.item() == pytest.approx(expected, rel=1e-4)
