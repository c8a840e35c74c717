"""From trained networks to their ONNX files, each checked against the network that it was written from.

    python -m training.export RUN/pnet/best.pt --out exported
    python -m training.export RUN/pnet/int8/best.pt RUN/rnet/int8/best.pt RUN/onet/int8/best.pt --out exported
    python -m training.export RUN/?net/int8/best.pt --out cascade --name my_cascade --origin "my own pictures"
    python -m app.main --detector cascade/my_cascade.json

A network that was trained for int8 (`QuantisedNet`) is written with pairs of QuantizeLinear and DequantizeLinear and
int8 weights, any other in fp32. The files go to `--out` as pnet.onnx, rnet.onnx and onet.onnx; with `--name` they make
a cascade with a manifest instead, as `training.bundle` writes it.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from checkpoints import onnx_file
from checkpoints.errors import ModelError
from checkpoints.exit_code import exit_code
from checkpoints.onnx_file import Network, Value
from training import checkpoint, whole_file
from training.agreement import Agreement, agreement
from training.bundle import About, bundle
from training.nets import Net
from training.operating_point import IN_PROGRAM, moved
from training.quantised import QuantisedNet
from training.shapes import PARTS, WINDOW_PX, Part, Shape
from training.step_nodes import Nodes
from training.steps import steps

OPSET, _IR_VERSION = 17, 8
INPUT = "pictures"
# Of the file → of the network. P-Net and R-Net are not asked for landmarks when the program runs.
OUTPUTS = {"log_odds": "odds", "boxes": "offsets", "landmarks": "landmarks"}
_ONET_ONLY = ("landmarks",)


@dataclass(frozen=True, slots=True)
class Exported:
    """pairs    places where activations are rounded; 0: the network is in fp32
    widened  layers whose weights are int8
    """

    raw: bytes
    pairs: int
    widened: int
    agreement: Agreement

    def __str__(self) -> str:
        kind = f"int8, {self.pairs} pairs, {self.widened} layers" if self.pairs else "fp32"
        return (
            f"{len(self.raw) / 1000:.0f} kB, {kind}; differs from the network by {self.agreement.in_file:.1e} "
            f"of the spread, in the engine by {self.agreement.in_engine:.1e}, {self.agreement.alike:.1%} decided alike"
        )


def export(nets: Iterable[Net | QuantisedNet]) -> dict[Part, Exported]:
    """ModelError where a file does not say what its network says."""
    done: dict[Part, Exported] = {}
    for net in tqdm(nets, desc="export", unit="net", disable=None):
        network = onnx_network(net)
        ops = [node.op for node in network.nodes]
        pairs = ops.count("QuantizeLinear")
        raw = onnx_file.write(network)
        agrees = agreement(net, raw, outputs(net.shape))
        done[net.shape.part] = Exported(raw, pairs, ops.count("DequantizeLinear") - pairs, agrees)
    return done


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


def main(arguments: Sequence[str] | None = None) -> int:
    args = _arguments(arguments)
    return exit_code(lambda: _export(args))


def _export(args: argparse.Namespace) -> int:
    least = dict(zip(PARTS, args.least, strict=True))
    done = export(moved(net, least[net.shape.part]) for net in _different(args.checkpoints))
    for part, exported in done.items():
        sys.stdout.write(f"{part}: {exported}\n")
    raws = {part: exported.raw for part, exported in done.items()}
    if args.name is None:
        for part, raw in raws.items():
            whole_file.write(args.out / f"{part}.onnx", raw)
    else:
        path = bundle(raws, args.out, args.name, About(args.title, args.origin))
        sys.stdout.write(f"{path}\n")
    return 0


def _different(paths: Sequence[Path]) -> list[Net | QuantisedNet]:
    nets = [checkpoint.load(path) for path in paths]
    parts = [net.shape.part for net in nets]
    if len(set(parts)) < len(parts):
        told = ", ".join(f"{path}: {part}" for path, part in zip(paths, parts, strict=True))
        raise ModelError("Two of the checkpoints are of the same part.", saw=told, fix="Name one of each part.")
    return nets


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    about, _, examples = (__doc__ or "").partition("\n\n")
    parser = argparse.ArgumentParser(
        prog="python -m training.export",
        description=about,
        epilog=examples,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("checkpoints", type=Path, nargs="+", help="of one, two or all three parts")
    parser.add_argument("--out", type=Path, required=True, help="folder for the files")
    parser.add_argument("--name", help="of a cascade of all three: writes its manifest NAME.json, too")
    parser.add_argument("--title", default="A cascade of three small nets, trained by training.run")
    parser.add_argument(
        "--least",
        type=float,
        nargs=3,
        default=list(IN_PROGRAM.values()),
        metavar=("P", "R", "O"),
        help="scores from which on each network is taken at its word (%(default)s: as they come)",
    )
    parser.add_argument("--origin", default="not told", metavar="TEXT", help="on what it was trained, for the manifest")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
