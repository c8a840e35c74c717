"""Pictures that a measurement names: each must be there, or the figure would be about fewer than it says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.photographs import Unreadable, read
from checkpoints.errors import DataError


def picture(path: Path) -> NDArray[np.uint8]:
    """(H, W, 3) blue-green-red."""
    try:
        return read(path).image_bgr
    except Unreadable as error:
        raise DataError(
            "A picture of the data cannot be read.",
            saw=f"{path}: {error}",
            fix="Put it there, or take it off the list.",
        ) from error
