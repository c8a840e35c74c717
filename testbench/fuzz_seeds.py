"""Small valid files of each kind that is read, to make almost valid ones of."""

from __future__ import annotations

import io
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from checkpoints import onnx_file, portrait, protobuf
from pipeline.gallery.edits import Put
from pipeline.gallery.gallery import Cutout, Kept, Picture
from pipeline.gallery.journal import Journal

DIM = 4
TIME = "2026-01-31T12:00:00.000Z"
CAMERAS = b"""[[camera]]
name = "door"
source = "rtsp://{user}:{password}@10.0.0.5/s"
size = "1280x720"
fps = 15
min_face = 60
zone = [0.0, 0.2, 1.0, 1.0]
mask = [[0.0, 0.0, 0.3, 0.2], [[0, 0], [1, 0], [1, 1]]]
transport = "udp"
"""
EVENT = (
    b'{"type": "identity", "camera": "0", "frame": 1, "t": "2026-01-31T12:00:00.000Z", "track": 7, "id": "0/1/7", '
    b'"name": "Ada", "state": "known", "why": {"threshold": 0.4, "runner_up": "Ada", '
    b'"shots": [{"frame": 1, "nearest": [["Ada", 0.9, "id"]]}]}}\n'
)
EVENTS = EVENT * 2 + b'{"type": "end", "t": "2026-01-31T12:00:01.000Z"}\n' + EVENT.replace(b"Ada", b"Bob")
CALIBRATION = (
    b'{"threshold": 0.4, "rate": 0.001, "people": 3, "pictures": 9, "expected_misses": null, "content_hash": "h", '
    b'"space": "s", "margin": 0.05, "basis": "table", "shift": 0.0}'
)


def kept(place: int) -> Kept:
    row = np.zeros(DIM, np.float32)
    row[place] = 1
    cutout = Cutout(b"\xff\xd8 jpeg", np.full((5, 2), place, np.float32))
    picture = Picture(row, f"hash {place}", 0.5, cutout, "a.jpg")
    return Kept(f"00000000-0000-4000-8000-00000000000{place}", None if place == 2 else f"Ada {place}", TIME, picture)


def journal(path: Path, pictures: tuple[Kept, ...]) -> bytes:
    path.unlink(missing_ok=True)
    made = Journal(path)
    made.append(Put(pictures[:1]))
    made.append(Put(pictures[1:]))
    made.close()
    return path.read_bytes()


def onnx() -> bytes:
    convolution = onnx_file.Node("Conv", ["in", "w"], ["out"], {"pads": (1, 1), "alpha": 0.5, "mode": "x", "axis": 1})
    weights = np.arange(8, dtype=np.float32).reshape(2, 4)
    given, wanted = onnx_file.Value("in", ("N", 3, 8, 8)), onnx_file.Value("out", (1, 2))
    return onnx_file.write(onnx_file.Network([convolution], {"w": weights}, [given], [wanted], 17))


def tensorflow() -> bytes:
    """A constant and an operation that reads it."""
    size = protobuf.message(2, [protobuf.integer(1, 2)])
    tensor = [
        protobuf.integer(1, 1),
        protobuf.message(2, [size]),
        protobuf.data(4, np.arange(2, dtype="<f4").tobytes()),
    ]
    value = protobuf.message(5, [protobuf.text(1, "value"), protobuf.message(2, [protobuf.message(8, tensor)])])
    constant = [protobuf.text(1, "c"), protobuf.text(2, "Const"), value]
    reader = [protobuf.text(1, "x"), protobuf.text(2, "Relu"), protobuf.text(3, "c")]
    return protobuf.write([protobuf.message(1, constant), protobuf.message(1, reader)])


def dlib() -> bytes:
    """A dense layer, an affine one and a convolution, from the embedding to the picture."""

    def numbers(*values: int) -> bytes:
        return b"".join(bytes([1, value]) for value in values)

    def text(value: str) -> bytes:
        return numbers(len(value)) + value.encode()

    def tensor(*values: float) -> bytes:
        row: NDArray[np.float32] = np.array(values, np.float32)
        return numbers(2, *((row.size, 1, 1, 1) if row.size else (0, 0, 0, 0))) + row.astype("<f4").tobytes()

    reals = numbers(1, 0) * 4
    tail = b"110" + tensor() * 3
    dense = numbers(2, 2) + tensor(1, 2, 3, 4) + numbers(1, 2, 2, 1, 1) + numbers(1, 0, 0, 0, 0) + numbers(1) + reals
    affine = tensor(1, 2, 3, 4) + numbers(1, 1, 2, 1, 1) * 2 + numbers(0)
    filters = numbers(2, 1, 1, 1, 1, 0, 0) + numbers(1, 2, 1, 1, 1) + numbers(1, 1, 2, 1, 1)
    convolution = tensor(1, 2, 3, 4) + filters + reals
    head = numbers(1) + text("loss_metric_2") + numbers(1, 0) * 2 + numbers(2, 2, 3)
    head += text("input_rgb_image_sized") + numbers(1, 0) * 3 + numbers(8, 8)
    layers = [
        text("fc_2") + dense + tail + numbers(1),
        text("affine_") + affine + tail,
        text("con_4") + convolution + tail,
    ]
    return head + b"".join(layers)


def jpeg() -> bytes:
    return cv2.imencode(".jpg", cv2.resize(portrait.portrait(), (48, 48)))[1].tobytes()


def machine() -> bytes:
    data = io.BytesIO()
    np.savez(
        data,
        content=np.array("content"),
        centre=np.zeros(DIM),
        weights=np.zeros((2, DIM + 1)),
        decisions=np.zeros(3),
        cosines=np.zeros(3),
        cost=np.array(1.0),
    )
    return data.getvalue()
