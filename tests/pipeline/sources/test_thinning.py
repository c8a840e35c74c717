from __future__ import annotations

import pytest

from pipeline.sources.thinning import Thinning


@pytest.mark.parametrize(("camera_fps", "wanted_fps"), [(25, 5), (25, 10), (30, 12.5), (60, 25), (25, 24)])
def test_as_many_as_were_asked_for(camera_fps: float, wanted_fps: float) -> None:
    thinning = Thinning(wanted_fps)
    shown = sum(thinning.wants(index / camera_fps) for index in range(round(camera_fps * 20)))
    assert shown == pytest.approx(wanted_fps * 20, rel=0.02)


@pytest.mark.parametrize("wanted_fps", [None, 25, 50])
def test_none_is_left_out_where_there_are_not_more(wanted_fps: float | None) -> None:
    thinning = Thinning(wanted_fps)
    assert all(thinning.wants(index / 25 + 0.003 * (index % 2)) for index in range(500))


def test_after_a_pause_there_is_no_burst() -> None:
    thinning = Thinning(5)
    thinning.wants(0.0)
    assert sum(thinning.wants(100 + index / 25) for index in range(25)) <= 7
