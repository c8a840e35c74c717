"""What may be shown to a detector: anything else is refused before a network makes nonsense of it.

Whoever reads pictures from outside converts them (`app.photographs`, the decoder of videos): grey ones, ones with 16
bits or with transparency are ordinary there. Here they can only be a mistake of the caller, hence a ValueError.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def check(images_bgr: Sequence[NDArray[np.uint8]]) -> None:
    """ValueError unless all of them are (H, W, 3) bytes with at least one pixel; any strides will do."""
    for place, image in enumerate(images_bgr):
        shape, dtype = np.shape(image), getattr(image, "dtype", None)
        if dtype != np.uint8 or len(shape) != 3 or shape[2] != 3 or 0 in shape:
            raise ValueError(
                f"picture {place} is {shape} of {dtype or type(image).__name__}; "
                f"a detector takes (height, width, 3) of uint8, blue-green-red{_hint(shape, dtype)}"
            )


def _hint(shape: tuple[int, ...], dtype: object) -> str:
    if 0 in shape:
        return ": it has no pixels"
    if len(shape) == 2 or (len(shape) == 3 and shape[2] == 1):
        return ": convert grey pictures with cv2.COLOR_GRAY2BGR"
    if len(shape) == 3 and shape[2] == 4:
        return ": convert pictures with transparency with cv2.COLOR_BGRA2BGR"
    if dtype == np.uint16:
        return ": bring 16 bits to 8 with a division by 257"
    return ""
