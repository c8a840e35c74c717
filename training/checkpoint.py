"""Networks on disk: written whole or not at all, read without running anything that a file says."""

from __future__ import annotations

import io
import pickle
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from checkpoints.errors import ModelError
from training import whole_file
from training.nets import Net
from training.quantised import QuantisedNet
from training.shapes import PARTS, Layer, Shape

AnyNet = Net | QuantisedNet


def save(path: Path, net: AnyNet, **more: object) -> None:
    """`more` is kept beside the network: settings, figures, the state of a run."""
    content = {
        "shape": asdict(net.shape),
        "quantised": isinstance(net, QuantisedNet),
        "state": net.state_dict(),
        **more,
    }
    packed = io.BytesIO()  # on a disk that is full torch itself raises anything but an OSError
    torch.save(content, packed)
    whole_file.write(path, packed.getvalue())


def read(path: Path) -> dict[str, Any]:
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise ModelError("There is no checkpoint.", saw=f"no file {path}") from error
    except (OSError, RuntimeError, EOFError, LookupError, ValueError, pickle.UnpicklingError) as error:
        first = str(error).strip().splitlines() or [type(error).__name__]
        raise ModelError("The checkpoint cannot be read.", saw=f"{path}: {first[0]}") from error
    if not isinstance(content, dict) or {"shape", "quantised", "state"} - set(content):
        raise ModelError("The file is no checkpoint of training.", saw=str(path))
    return content


def load(path: Path, part: str | None = None) -> AnyNet:
    """The network of a checkpoint; ModelError where it is another part's, or its weights do not go with its shape."""
    content = read(path)
    shape = _shape(content["shape"], path)
    if part is not None and shape.part != part:
        raise ModelError("The checkpoint is of another network.", saw=f"{path}: {shape.part}", fix=f"want: {part}")
    net: AnyNet = QuantisedNet(Net(shape)) if content["quantised"] else Net(shape)
    load_state(net, content["state"], path)
    return net


def load_state(net: AnyNet, state: dict[str, Any], path: Path) -> None:
    try:
        net.load_state_dict(state)
    except (RuntimeError, TypeError) as error:
        raise ModelError("The checkpoint is of another network.", saw=f"{path}: {error}") from error


def _shape(told: dict[str, Any], path: Path) -> Shape:
    try:
        layers = tuple(
            Layer(**(layer | {"pool": tuple(layer["pool"]) if layer["pool"] else None})) for layer in told["layers"]
        )
        if told["part"] not in PARTS:
            raise ValueError(f"part {told['part']!r}")
        return Shape(told["part"], layers, told["dense"], told["prelu"])
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError("The checkpoint describes no network.", saw=f"{path}: {error}") from error
