"""How much a network has to multiply: what pruning counts, since it is known before anything runs."""

from __future__ import annotations

from training.shapes import WINDOW_PX, Shape

_LARGE_PX = 960  # P-Net runs over whole pictures, where margins do not matter
_HEADS = {"pnet": 5, "rnet": 5, "onet": 15}  # numbers that are read at run time


def multiplications(shape: Shape) -> float:
    """For one window; of P-Net, which shares its work between windows, for one pixel of a picture."""
    side, width, total = (_LARGE_PX if shape.dense is None else WINDOW_PX[shape.part]), 3, 0.0
    begin = side
    for layer in shape.layers:
        side = (side - layer.kernel) // layer.stride + 1
        each_place = layer.kernel**2 * (1 if layer.depthwise else layer.width)
        total += side**2 * width * (each_place + (layer.width if layer.depthwise else 0))
        width = layer.width
        if layer.pool:
            side = (side - layer.pool[0]) // layer.pool[1] + 1
    if shape.dense is None:
        return (total + side**2 * width * _HEADS[shape.part]) / begin**2
    return total + side**2 * width * shape.dense + shape.dense * _HEADS[shape.part]
