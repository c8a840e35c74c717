"""How much a face is worth for recognition, from what the detector already knows and the crop itself."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def quality(
    crops_bgr: NDArray[np.uint8],
    boxes_xyxy: NDArray[np.float32],
    landmarks: NDArray[np.float32],
    scores: NDArray[np.float32],
) -> NDArray[np.float32]:
    """(N,) from 0 to 1 for N aligned crops (N, S, S, 3) with their boxes, landmarks (N, 5, 2) and detector scores."""
    raise NotImplementedError
