"""One real face that every installation has: the demo shows it, and converted and quantised nets are tried on it."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from checkpoints.errors import ModelError

PERSON = "Eileen Collins"
PATH = Path(__file__).with_name("portrait.jpg")  # NASA, public domain

# Eye on the left of the picture, eye on its right, nose, mouth corner left, right; as the published MTCNN sees them.
LANDMARKS = np.array([(203.7, 101.3), (246.4, 103.5), (225.2, 128.5), (202.0, 139.6), (245.5, 141.0)], np.float32)


def portrait() -> NDArray[np.uint8]:
    """512×512, blue-green-red."""
    image = cv2.imread(str(PATH), cv2.IMREAD_COLOR)
    if image is None:
        raise ModelError(
            "The program's own picture of a face is missing.", saw=str(PATH), fix="git checkout restores it"
        )
    return np.asarray(image, np.uint8)
