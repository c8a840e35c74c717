from __future__ import annotations

import numpy as np
import pytest

from pipeline import panel
from pipeline.messages import FrameRef
from pipeline.recent import Recent, StageTimes

MS = 1_000_000


def ref(seq: int, at_ms: int) -> FrameRef:
    made = FrameRef("a", 0, seq, 0.0, at_ms * MS, seq, (64, 48))
    made = made.after("capture", at_ms * MS, (at_ms + 2) * MS)
    return made.after("detect", (at_ms + 3) * MS, (at_ms + 8) * MS)


def test_rate_and_times_of_the_last_frames() -> None:
    recent = Recent()
    assert (recent.fps, recent.stages()) == (0.0, [])
    for seq in range(400):
        recent.add(ref(seq, seq * 40))
    assert recent.fps == pytest.approx(25)
    assert recent.stages() == [
        StageTimes("capture", 0.0, 2.0, 2.0),
        StageTimes("detect", 1.0, 5.0, 6.0),
        StageTimes("total", 0.0, 8.0, 8.0),
    ]


@pytest.mark.parametrize("size_wh", [(1280, 720), (64, 48), (20, 10)])
def test_a_panel_is_drawn_on_pictures_of_all_sizes(size_wh: tuple[int, int]) -> None:
    image_bgr = np.full((size_wh[1], size_wh[0], 3), 200, np.uint8)
    stages = [StageTimes("detect", 1.0, 5.0, 6.0), StageTimes("total", 0.0, 6.0, 6.0)]
    below = panel.head(image_bgr, "25.0 fps", 12)
    panel.waterfall(image_bgr, stages, below, 12)
    panel.waterfall(image_bgr, [], below, 12)
    panel.foot(image_bgr, "message", 12)
    assert image_bgr[0, 0, 0] < 200 and image_bgr[-1, -1, 0] < 200
