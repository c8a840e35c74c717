from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
import pytest

from pipeline import lettering


@pytest.fixture(params=["font", "hershey"])
def _either(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """OpenCV 5 has a font, OpenCV 4 has not."""
    if request.param == "font" and not hasattr(cv2, "FontFace"):
        pytest.skip("OpenCV 4 brings no font")
    if request.param == "hershey":
        monkeypatch.delattr(cv2, "FontFace", raising=False)
    lettering._font.cache_clear()
    yield
    lettering._font.cache_clear()


@pytest.mark.usefixtures("_either")
@pytest.mark.parametrize("text", ["Alice 0.83", "Zoë Müller", "王小明", "", "unknown #12345"])
def test_letters_stay_in_the_room_that_was_reckoned(text: str) -> None:
    image_bgr = np.zeros((60, 600, 3), np.uint8)
    across = lettering.width_of(text, 20)
    lettering.write(image_bgr, text, (10, 40), (255, 255, 255), 20)
    drawn = np.argwhere(image_bgr.any(axis=2))
    assert (len(drawn) > 0) == bool(text)
    if text:
        assert drawn[:, 1].min() >= 8 and drawn[:, 1].max() <= 10 + across + 2
        assert drawn[:, 0].min() >= 40 - 22 and drawn[:, 0].max() <= 40 + lettering.line_px(20) - 20
        assert drawn[:, 1].max() >= 10 + across - 6
