"""That an upright net gives on a picture what the publisher's gives on the exchanged one, shown by running both."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.float32]
# P-Net takes any size; odd ones are where the rounding of its pooling could differ.
_ANY_SIZE_WH = ((12, 12), (31, 13), (40, 57), (64, 101))


def largest_difference(published: bytes, converted: bytes, size_wh: tuple[int, int] | None) -> float:
    """The largest absolute difference between the outputs of both, over random pictures."""
    worst = 0.0
    for width, height in [size_wh] if size_wh else _ANY_SIZE_WH:
        random = np.random.default_rng(width * 1000 + height)
        picture = random.uniform(-1, 1, (1, height, width, 3)).astype(np.float32)
        exchanged = _run(published, np.ascontiguousarray(picture.swapaxes(1, 2)))
        upright = _run(converted, picture)
        for one, other in zip(exchanged, upright, strict=True):
            map_of_one = one.swapaxes(1, 2) if one.ndim == 4 else one
            worst = max(worst, float(np.abs(map_of_one - other).max()))
    return worst


def _run(model: bytes, picture: Picture) -> Sequence[Picture]:
    net = cv2.dnn.readNetFromONNX(np.frombuffer(model, np.uint8))
    net.setInput(picture)
    return [np.asarray(output, np.float32) for output in net.forward(net.getUnconnectedOutLayersNames())]
