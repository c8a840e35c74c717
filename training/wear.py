"""What cameras, lenses, codecs and bad light do to pictures, done on purpose."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]


def worn(image_bgr: Picture, random: np.random.Generator) -> Picture:
    """Each kind of wear comes to some pictures and not to others."""
    if random.random() < 0.35:
        image_bgr = _blurred(image_bgr, random)
    if random.random() < 0.6:
        image_bgr = _lit(image_bgr, random)
    if random.random() < 0.4:
        image_bgr = _noisy(image_bgr, random)
    if random.random() < 0.7:
        image_bgr = _packed(image_bgr, random)
    return image_bgr


def coarse(image_bgr: Picture, random: np.random.Generator) -> Picture:
    """As enlarged from fewer pixels."""
    height, width = image_bgr.shape[:2]
    share = random.uniform(0.4, 0.9)
    small = cv2.resize(
        image_bgr, (max(4, int(width * share)), max(4, int(height * share))), interpolation=cv2.INTER_AREA
    )
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


def _blurred(image_bgr: Picture, random: np.random.Generator) -> Picture:
    if random.random() < 0.3:  # something has moved
        length = int(random.integers(2, 5))
        kernel = np.zeros((length, length), np.float32)
        kernel[length // 2] = 1 / length
        return np.asarray(cv2.filter2D(image_bgr, -1, kernel if random.random() < 0.7 else kernel.T), np.uint8)
    return np.asarray(cv2.GaussianBlur(image_bgr, (0, 0), random.uniform(0.4, 1.3)), np.uint8)


def _lit(image_bgr: Picture, random: np.random.Generator) -> Picture:
    gamma = float(np.exp(random.uniform(-0.5, 0.5)))
    table = 255 * (np.arange(256) / 255) ** gamma
    table = (table - 128) * random.uniform(0.6, 1.2) + 128
    return np.asarray(cv2.LUT(image_bgr, np.clip(table, 0, 255).astype(np.uint8)), np.uint8)


def _noisy(image_bgr: Picture, random: np.random.Generator) -> Picture:
    noise = np.empty(image_bgr.shape, np.int16)
    cv2.setRNGSeed(int(random.integers(1 << 31)))
    cv2.randn(noise, np.zeros(3), np.full(3, random.uniform(2, 12)))
    return np.asarray(cv2.add(image_bgr, noise, dtype=cv2.CV_8U), np.uint8)


def _packed(image_bgr: Picture, random: np.random.Generator) -> Picture:
    quality = int(random.integers(25, 95))
    _, packed = cv2.imencode(".jpg", image_bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), np.uint8)
