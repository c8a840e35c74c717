"""How far a converted net is from the published one, shown by running both on a real face.

OpenCV runs the published nets, each with its own reader. dlib's it cannot read: what dlib itself made of the face is
kept in `originals/`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import resources

import cv2
import numpy as np
from numpy.typing import NDArray

from checkpoints import onnx_file, portrait
from checkpoints.manifest import Manifest
from checkpoints.model_file import ModelFile
from checkpoints.onnx_file import Value

Picture = NDArray[np.float32]
Outputs = dict[str, Picture]
# For nets that take any size. P-Net's pooling rounds up, so odd ones are where it could differ.
_SIZES_WH = {"upright": ((12, 12), (31, 13), (40, 57), (64, 101)), "unpack_any_size": ((320, 256),)}
_LEAST_FACE_PX = 100  # the portrait's face with some of what is around it


class Unproven(Exception):
    """The published net cannot be run here; the text says why."""


@dataclass(frozen=True, slots=True)
class Difference:
    """largest  absolute difference between a number of the published net and the same one of the converted
    of       the largest magnitude among those numbers
    """

    largest: float
    of: float

    def __str__(self) -> str:
        return f"differs from the original by {self.largest:.1e} at most, in numbers up to {self.of:.3g}"


def difference(model: Manifest, file: ModelFile, published: bytes, converted: bytes) -> Difference:
    """`published` are the bytes that the publisher ships, `converted` those of `file`."""
    conversion = file.source.conversion if file.source is not None else None
    if conversion is None or conversion not in _ORIGINALS:
        raise Unproven("there is no way to run the original")
    sizes_wh = _SIZES_WH[conversion] if file.size_wh is None else (file.size_wh,)
    largest = of = 0.0
    for size_wh in sizes_wh:
        picture = prepared(face(size_wh), model)
        try:
            expected = _ORIGINALS[conversion](published, picture, model)
            found = run(cv2.dnn.readNetFromONNX(_array(converted)), picture)
        except cv2.error as error:
            raise Unproven(f"OpenCV {cv2.__version__} does not run it: {error.err}") from error
        for name, one in expected.items():
            other = _unit(found[name]) if conversion == "tensorflow" else found[name]
            largest = max(largest, float(np.abs(one - other).max()))
            of = max(of, float(np.abs(one).max()))
    return Difference(largest, of)


def face(size_wh: tuple[int, int]) -> NDArray[np.uint8]:
    """(H, W, 3) blue-green-red: the portrait's face. Sizes above the face's are cut out of it pixel by pixel, so that
    they are the same on every machine."""
    whole = portrait.portrait()
    times = max(1.0, _LEAST_FACE_PX / min(size_wh))
    width, height = (round(side * times) for side in size_wh)
    centre_x, centre_y = portrait.LANDMARKS.mean(axis=0)
    left = int(np.clip(round(centre_x - width / 2), 0, whole.shape[1] - width))
    top = int(np.clip(round(centre_y - height / 2), 0, whole.shape[0] - height))
    cut = np.ascontiguousarray(whole[top : top + height, left : left + width])
    if times > 1:
        cut = np.asarray(cv2.resize(cut, size_wh, interpolation=cv2.INTER_AREA), np.uint8)
    return cut


def prepared(picture_bgr: NDArray[np.uint8], model: Manifest) -> Picture:
    """(1, …) as the model takes it."""
    values = picture_bgr[..., ::-1] if model.colour == "RGB" else picture_bgr
    normal = (values.astype(np.float32) - np.array(model.mean, np.float32)) * np.array(model.scale, np.float32)
    return np.ascontiguousarray(normal[None] if model.layout == "NHWC" else normal.transpose(2, 0, 1)[None])


def run(net: cv2.dnn.Net, picture: Picture, input_name: str = "") -> Outputs:
    names: Sequence[str] = net.getUnconnectedOutLayersNames()
    net.setInput(picture, input_name)
    return {name: np.asarray(one, np.float32) for name, one in zip(names, net.forward(names), strict=True)}


def _exchanged(published: bytes, picture: Picture, _: Manifest) -> Outputs:
    """The published MTCNN takes pictures with x and y exchanged, and gives its maps so."""
    outputs = run(cv2.dnn.readNetFromONNX(_array(published)), np.ascontiguousarray(picture.swapaxes(1, 2)))
    return {name: one.swapaxes(1, 2) if one.ndim == 4 else one for name, one in outputs.items()}


def _packed(published: bytes, picture: Picture, model: Manifest) -> Outputs:
    """OpenCV unpacks the weights itself once they are no longer listed as inputs."""
    network = onnx_file.read(published)
    name = model.files[0].input
    network.inputs = [Value(name, picture.shape)]
    return run(cv2.dnn.readNetFromONNX(_array(onnx_file.write(network))), picture, name)


def _tensorflow(published: bytes, picture: Picture, _: Manifest) -> Outputs:
    net = cv2.dnn.readNetFromTensorflow(_array(published))
    net.setInput(picture)
    return {"embedding": np.asarray(net.forward(), np.float32)}


def _kept(_: bytes, __: Picture, model: Manifest) -> Outputs:
    return {"embedding": original(model.name)[None]}


def original(name: str) -> Picture:
    """What the publisher's own program made of the face."""
    entry = resources.files("checkpoints").joinpath("originals").joinpath(f"{name}.json")
    return np.array(json.loads(entry.read_text(encoding="utf-8"))["embedding"], np.float32)


_ORIGINALS: dict[str, Callable[[bytes, Picture, Manifest], Outputs]] = {
    "upright": _exchanged, "unpack": _packed, "unpack_any_size": _packed, "tensorflow": _tensorflow, "dlib": _kept,
}  # fmt: skip


def _unit(vectors: Picture) -> Picture:
    lengths: Picture = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / lengths


def _array(model: bytes) -> NDArray[np.uint8]:
    return np.frombuffer(model, np.uint8)
