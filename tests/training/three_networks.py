"""A cascade of networks with weights by chance, and a few samples and pictures for it."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from tests.training.settled import calibrated, settled
from training import checkpoint
from training.export import onnx_bytes
from training.samples import NEGATIVE, PART, POSITIVE, Pieces, SampleWriter
from training.shapes import PARTS, WINDOW_PX, Part


def as_files(folder: Path, *, rounded: bool = False) -> Path:
    folder.mkdir(parents=True)
    for part in PARTS:
        net = calibrated(part, "plain") if rounded else settled(part, "plain")
        (folder / f"{part}.onnx").write_bytes(onnx_bytes(net))
    return folder


def as_checkpoints(folder: Path) -> Path:
    for part in PARTS:
        checkpoint.save(folder / part / "best.pt", settled(part, "plain"))
    return folder


def pieces(part: Part, count: int, seed: int = 1) -> Pieces:
    """Faces are bright, all else is dark: something that can be learned in a few steps."""
    random = np.random.default_rng(seed)
    kinds = np.resize(np.array([NEGATIVE, PART, POSITIVE], np.uint8), count)
    side = WINDOW_PX[part]
    light = np.array([40, 110, 190])[kinds].reshape(-1, 1, 1, 1)
    pictures = np.clip(light + random.normal(0, 25, (count, side, side, 3)), 0, 255).astype(np.uint8)
    offsets = np.where(kinds[:, None] == NEGATIVE, 0, 0.1).astype(np.float32) * np.ones((1, 4), np.float32)
    landmarks = np.full((count, 10), 0.5, np.float32)
    landmarks[kinds != POSITIVE] = np.nan
    return Pieces(pictures, kinds, offsets, landmarks)


def samples(folder: Path, part: Part, taught: int = 192, held_out: int = 48) -> Path:
    for name, count, seed in (("taught", taught, 1), ("held_out", held_out, 2)):
        writer = SampleWriter(folder / name, part, {"seed": seed})
        writer.append(pieces(part, count, seed), done=1)
        writer.finish()
        writer.close()
    return folder


def photographs(folder: Path) -> Path:
    """Two pictures with a face each, in the text format of WIDER FACE."""
    (folder / "images").mkdir(parents=True)
    lines = []
    for number in range(2):
        image_bgr = np.random.default_rng(number).integers(0, 256, (60, 80, 3), np.uint8)
        assert cv2.imwrite(str(folder / "images" / f"{number}.png"), image_bgr)
        lines += [f"{number}.png", "1", "10 10 40 40 0 0 0 0 0 0"]
    (folder / "gt.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder
