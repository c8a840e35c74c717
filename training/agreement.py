"""Whether an ONNX file says what the network says that it was written from, and what remains of it in an engine.

The file is computed twice: by the definition of its operators (the package `onnx`), where hardly a digit may differ,
and by the runtime that the program uses, which may round a number between two steps to the other one, cuts off large
numbers later and computes what is not int8 in 16 bits. All of that on squares of the program's own portrait.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx.reference import ReferenceEvaluator

from checkpoints import portrait
from checkpoints.errors import ModelError
from engines.load import opener
from engines.options import EngineOptions
from training import trio
from training.checkpoint import AnyNet
from training.nets import normal
from training.shapes import WINDOW_PX

Said = dict[str, NDArray[np.float32]]

PIECES = 32
# Shares of the outputs' own spread. Both hold in a network that was trained for some minutes only.
_MOST_IN_FILE, _MOST_IN_ENGINE = 0.05, 0.25
_KNOWS_PAIRS = 19  # `onnx` computes pairs from this opset on; they mean the same in 17


@dataclass(frozen=True, slots=True)
class Agreement:
    """Between the network and its file: root of the mean squared difference, as a share of the output's spread.

    in_file    by the definition of the operators, the worst output
    in_engine  as the runtime computes, the worst output
    alike      share of places where the engine finds a face where the network does, and none where it finds none
    """

    in_file: float
    in_engine: float
    alike: float


def agreement(net: AnyNet, raw: bytes, names: Mapping[str, str]) -> Agreement:
    """`names`: output of the file → of the network. ModelError where the file is another network's."""
    pictures_bgr = pieces(WINDOW_PX[net.shape.part])
    wanted = _by_torch(net, pictures_bgr, names)
    by_file = _by_definition(raw, pictures_bgr, names)
    by_engine = _by_engine(net, raw, pictures_bgr, names)
    found = Agreement(
        in_file=max(_difference(by_file[name], wanted[name]) for name in names),
        in_engine=max(_difference(by_engine[name], wanted[name]) for name in names),
        alike=float(np.mean((by_engine["log_odds"] > 0) == (wanted["log_odds"] > 0))),
    )
    if not (found.in_file < _MOST_IN_FILE and found.in_engine < _MOST_IN_ENGINE):
        raise ModelError(
            f"The file of the {net.shape.part} does not say what the network says.",
            saw=f"differences of {found.in_file:.3f} (file) and {found.in_engine:.3f} (engine) of the spread",
            fix=f"Below {_MOST_IN_FILE} and {_MOST_IN_ENGINE} it should be. Has the network been trained at all?",
        )
    return found


def pieces(side_px: int) -> NDArray[np.uint8]:
    """(PIECES, side, side, 3): the same squares each time, of a face, of parts of it and of what is around."""
    picture_bgr, random = portrait.portrait(), np.random.default_rng(1)
    sides = random.uniform(side_px, min(picture_bgr.shape[:2]), PIECES)
    cut = []
    for side in sides.astype(int):
        left, top = (int(random.integers(0, size - side + 1)) for size in picture_bgr.shape[1::-1])
        square_bgr = picture_bgr[top : top + side, left : left + side]
        cut.append(cv2.resize(square_bgr, (side_px, side_px), interpolation=cv2.INTER_AREA))
    return np.array(cut, np.uint8)


@torch.no_grad()
def _by_torch(net: AnyNet, pictures_bgr: NDArray[np.uint8], names: Mapping[str, str]) -> Said:
    was_training, device = net.training, next(net.parameters()).device
    net.eval()
    said = net(normal(torch.from_numpy(pictures_bgr).to(device)))
    net.train(was_training)
    tensors = {name: getattr(said, head).cpu() for name, head in names.items()}
    # The file gives maps with the numbers of a place side by side.
    return {name: (each.permute(0, 2, 3, 1) if each.ndim == 4 else each).numpy() for name, each in tensors.items()}


def _by_definition(raw: bytes, pictures_bgr: NDArray[np.uint8], names: Mapping[str, str]) -> Said:
    model = onnx.load_from_string(raw)
    onnx.checker.check_model(model, full_check=True)
    model.opset_import[0].version = _KNOWS_PAIRS
    pictures = normal(torch.from_numpy(pictures_bgr)).numpy()
    outputs = ReferenceEvaluator(model).run(list(names), {model.graph.input[0].name: pictures})
    return dict(zip(names, outputs, strict=True))


def _by_engine(net: AnyNet, raw: bytes, pictures_bgr: NDArray[np.uint8], names: Mapping[str, str]) -> Said:
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"{net.shape.part}.onnx"
        path.write_bytes(raw)
        config = EngineOptions(cache=Path(folder))
        spec = trio.network(net.shape.part, str(path), config, Path(folder))
        open_engine = opener(replace(config, precision=spec.precision))
        engine = open_engine(replace(spec, batch=len(pictures_bgr), outputs=tuple(names)))
        engine.input[...] = pictures_bgr
        said = {name: output.copy() for name, output in zip(names, engine.run(), strict=True)}
        engine.close()
    return said


def _difference(found: NDArray[np.float32], wanted: NDArray[np.float32]) -> float:
    """Differences of all numbers of an output; its spread is over the places, for each number by itself."""
    spread = np.sqrt(np.mean(np.var(wanted.reshape(-1, wanted.shape[-1]), axis=0)))
    return float(np.sqrt(np.mean((found - wanted) ** 2)) / max(spread, np.finfo(np.float32).tiny))
