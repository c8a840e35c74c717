"""From a trained network to its ONNX file."""

from __future__ import annotations

from checkpoints import onnx_file
from checkpoints.onnx_file import Network, Value
from training.nets import Net
from training.shapes import WINDOW_PX, Shape
from training.step_nodes import Nodes
from training.steps import Steps, plain_steps

OPSET, _IR_VERSION = 17, 8
INPUT = "pictures"
# Of the file → of the network. P-Net and R-Net are not asked for landmarks when the program runs.
OUTPUTS = {"log_odds": "odds", "boxes": "offsets", "landmarks": "landmarks"}
_ONET_ONLY = ("landmarks",)


def outputs(shape: Shape) -> dict[str, str]:
    return {name: head for name, head in OUTPUTS.items() if shape.part == "onet" or name not in _ONET_ONLY}


def onnx_bytes(net: Net) -> bytes:
    """The same network makes the same bytes on every machine."""
    return onnx_file.write(onnx_network(net))


def onnx_network(net: Net) -> Network:
    """Takes `pictures` (N, 3, H, W); gives `log_odds` (N, 1), `boxes` (N, 4), and O-Net `landmarks` (N, 10).

    P-Net takes any size and gives a map, (N, rows, columns, 1) and (N, rows, columns, 4).
    """
    return _network(net.shape, plain_steps(net))


def _network(shape: Shape, steps: Steps) -> Network:
    made = Nodes()
    seen = INPUT if steps.limit is None else made.pair(INPUT, steps.limit)
    for index, step in enumerate(steps.blocks):
        if step.weights.ndim == 2:
            seen = made.node("Flatten", [seen], f"block{index}/flat", {"axis": 1})
        seen = made.step(step, seen, f"block{index}")
    given = []
    for name, head in outputs(shape).items():
        numbers = len(steps.heads[head].biases)
        if shape.dense is None:
            flat = made.step(steps.heads[head], seen, f"{name}/map")
            made.node("Transpose", [flat], name, {"perm": (0, 2, 3, 1)})
            given.append(Value(name, ("N", "rows", "columns", numbers)))
        else:
            made.step(steps.heads[head], seen, name)
            given.append(Value(name, ("N", numbers)))
    side: tuple[int | str, int | str] = ("H", "W") if shape.dense is None else (WINDOW_PX[shape.part],) * 2
    return Network(made.nodes, made.constants, [Value(INPUT, ("N", 3, *side))], given, OPSET, _IR_VERSION)
