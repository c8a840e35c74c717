"""From a trained network to its ONNX file."""

from __future__ import annotations

from checkpoints import onnx_file
from checkpoints.onnx_file import Network, Value
from training.nets import Net
from training.quantised import QuantisedNet
from training.shapes import WINDOW_PX, Shape
from training.step_nodes import Nodes
from training.steps import steps

OPSET, _IR_VERSION = 17, 8
INPUT = "pictures"
# Of the file → of the network. P-Net and R-Net are not asked for landmarks when the program runs.
OUTPUTS = {"log_odds": "odds", "boxes": "offsets", "landmarks": "landmarks"}
_ONET_ONLY = ("landmarks",)


def outputs(shape: Shape) -> dict[str, str]:
    return {name: head for name, head in OUTPUTS.items() if shape.part == "onet" or name not in _ONET_ONLY}


def onnx_bytes(net: Net | QuantisedNet) -> bytes:
    """The same network makes the same bytes on every machine."""
    return onnx_file.write(onnx_network(net))


def onnx_network(net: Net | QuantisedNet) -> Network:
    """Takes `pictures` (N, 3, H, W); gives `log_odds` (N, 1), `boxes` (N, 4), and O-Net `landmarks` (N, 10).

    P-Net takes any size and gives a map, (N, rows, columns, 1) and (N, rows, columns, 4).
    """
    made, wanted = Nodes(), steps(net)
    seen = INPUT if wanted.scale is None else made.pair(INPUT, wanted.scale)
    for index, step in enumerate(wanted.blocks):
        if step.weights.ndim == 2:
            seen = made.node("Flatten", [seen], f"block{index}/flat", {"axis": 1})
        seen = made.step(step, seen, f"block{index}")
    is_map = net.shape.dense is None
    given = []
    for name, head in outputs(net.shape).items():
        last = made.step(wanted.heads[head], seen, f"{name}/map" if is_map else name)
        if is_map:
            made.node("Transpose", [last], name, {"perm": (0, 2, 3, 1)})
        places = ("rows", "columns") if is_map else ()
        given.append(Value(name, ("N", *places, len(wanted.heads[head].biases))))
    window_px = WINDOW_PX[net.shape.part]
    sides: tuple[int | str, ...] = ("H", "W") if is_map else (window_px, window_px)
    return Network(made.nodes, made.constants, [Value(INPUT, ("N", 3, *sides))], given, OPSET, _IR_VERSION)
