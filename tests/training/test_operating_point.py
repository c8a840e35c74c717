from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="the extra [train] is not installed")

from engines.cascade import log_odds  # noqa: E402
from training.nets import Net  # noqa: E402
from training.operating_point import IN_PROGRAM, moved  # noqa: E402
from training.quantised import QuantisedNet  # noqa: E402
from training.shapes import PARTS, WINDOW_PX, shape  # noqa: E402


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("rounds", [False, True])
def test_what_it_said_at_the_given_score_it_says_at_the_programs(part: str, rounds: bool) -> None:
    pictures = torch.rand(4, 3, *(WINDOW_PX[part],) * 2) * 2 - 1  # type: ignore[index]
    net = Net(shape(part, "light")).eval()  # type: ignore[arg-type]
    if rounds:
        net = QuantisedNet(net)
        net.calibrate([pictures])
    with torch.no_grad():
        before, after = net(pictures), moved(net, 0.25)(pictures)
        again = net(pictures)
    by = log_odds(IN_PROGRAM[part]) - log_odds(0.25)  # type: ignore[index]
    assert torch.allclose(after.odds, before.odds + by, atol=1e-5)
    assert torch.equal(after.offsets, before.offsets)
    assert torch.equal(again.odds, before.odds)
