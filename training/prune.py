"""Take channels out of a network until it multiplies as little as is wanted, and teach it again after each cut.

    python -m training.prune RUN/pnet/best.pt --samples SAMPLES/pnet --to 0.35 --out RUN/pnet_pruned
    python -m training.prune RUN/onet/best.pt --samples SAMPLES/onet --to 0.25 --by scale --out RUN/onet_small
    python -m training.prune RUN/rnet/best.pt --samples SAMPLES/rnet --to 0.3 --also-anew --out RUN/rnet_small

OUT gets `pruned/best.pt`, with --also-anew `anew/best.pt`: the same shape taught from nothing, and `prune.json`, what
each of them is worth. The same command goes on after an interruption.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import get_args

import numpy as np
import torch
from numpy.typing import NDArray

from checkpoints.errors import DataError
from checkpoints.exit_code import GOES_ON, exit_code
from engines.flags import count
from training import checkpoint, course_flags, teacher_odds, whole_file
from training.cost import multiplications
from training.course import Course
from training.findings import table
from training.fit import fit
from training.importance import By, choose, importance
from training.nets import Net
from training.samples import Pieces, open_samples
from training.shapes import Part, Shape
from training.slimming import slim
from training.trial import Trial, try_out


@dataclass(frozen=True, slots=True)
class Cuts:
    """to        share of the multiplications that is left in the end
    by        what tells how important a channel is
    rounds    cuts, each to the same share of what the one before has left
    multiple  widths become multiples of it
    recovery  share of the course's steps that is taught after each cut but the last, which gets all of them
    """

    to: float = 0.35
    by: By = "taylor"
    rounds: int = 4
    multiple: int = 4
    recovery: float = 0.25

    def __post_init__(self) -> None:
        if not 0 < self.to < 1 or self.rounds < 1 or self.multiple < 1 or not 0 < self.recovery <= 1:
            raise DataError(
                "A network cannot be cut like that.",
                saw=str(self),
                fix="The shares lie between 0 and 1; there is at least one round, and a multiple of at least 1.",
            )


@dataclass(frozen=True, slots=True)
class Samples:
    """teacher_odds  (N,) of those taught; None: without a teacher"""

    taught: Pieces
    held_out: Pieces
    teacher_odds: NDArray[np.float32] | None = None


@dataclass(frozen=True, slots=True)
class Row:
    name: str
    shape: Shape
    trial: Trial


def prune(net: Net, samples: Samples, cuts: Cuts, course: Course, folder: Path) -> Net:
    """The small network, taught; goes on where an earlier call stopped: the same net is cut in the same way."""
    first = multiplications(net.shape)
    for number in range(1, cuts.rounds + 1):
        is_last = number == cuts.rounds
        importances = importance(net, cuts.by, samples.taught, course)
        most = first * cuts.to ** (number / cuts.rounds)
        net = slim(net, choose(net.shape, importances, most, cuts.multiple))
        steps = course.steps if is_last else max(1, round(cuts.recovery * course.steps))
        net = teach(net, samples, replace(course, steps=steps), folder / ("pruned" if is_last else f"round_{number}"))
    return net


def teach(net: Net, samples: Samples, course: Course, folder: Path) -> Net:
    fit(net, samples.taught, samples.held_out, course, folder, teacher_odds=samples.teacher_odds)
    best = checkpoint.load(folder / "best.pt", net.shape.part)
    assert isinstance(best, Net)
    return best


def anew(shape: Shape, samples: Samples, cuts: Cuts, course: Course, folder: Path) -> Net:
    """The same shape taught from nothing, for as long as the pruned network was taught in all its rounds."""
    torch.manual_seed(course.seed)
    steps = course.steps + (cuts.rounds - 1) * max(1, round(cuts.recovery * course.steps))
    return teach(Net(shape), samples, replace(course, steps=steps), folder / "anew")


def compare(before: Net, after: Sequence[tuple[str, Net]], samples: Samples, course: Course) -> list[Row]:
    here = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return [
        Row(name, net.shape, try_out(net.to(here), samples.held_out, course, here))
        for name, net in (("before", before), *after)
    ]


def told(rows: Sequence[Row]) -> str:
    first = multiplications(rows[0].shape)
    head = "", "widths", "multiplies", "loss", "accuracy", "box", "landmarks"
    lines = [
        (
            row.name,
            " ".join(map(str, row.shape.widths)),
            f"{multiplications(row.shape) / first:.2f}",
            f"{row.trial.loss:.4f}",
            f"{row.trial.accuracy:.4f}",
            f"{row.trial.box:.4f}",
            f"{row.trial.landmarks:.4f}",
        )
        for row in rows
    ]
    return table(head, lines)


def main(arguments: Sequence[str] | None = None) -> int:
    args = _parser().parse_args(arguments)
    torch.set_num_threads(args.threads)
    return exit_code(lambda: _prune(args), GOES_ON)


def _prune(args: argparse.Namespace) -> int:
    course = course_flags.course(args)
    cuts = Cuts(**{field.name: getattr(args, field.name) for field in fields(Cuts)})
    net = checkpoint.load(args.checkpoint)
    if not isinstance(net, Net):
        raise DataError(
            "A network that rounds already cannot be pruned.",
            saw=str(args.checkpoint),
            fix="Prune it first, then teach it to round: python -m training.train --round.",
        )
    samples = opened(args.samples, net.shape.part, course)
    after = [("pruned", small := prune(net, samples, cuts, course, args.out))]
    if args.also_anew:
        after.append(("anew", anew(small.shape, samples, cuts, course, args.out)))
    rows = compare(net, after, samples, course)
    _keep(args.out / "prune.json", cuts, rows)
    sys.stdout.write(told(rows))
    return 0


def opened(folder: Path, part: Part, course: Course) -> Samples:
    taught = open_samples(folder / "taught", part)
    odds = teacher_odds.read(folder / "taught", len(taught)) if course.teacher else None
    return Samples(taught, open_samples(folder / "held_out", part), odds)


def _keep(path: Path, cuts: Cuts, rows: Sequence[Row]) -> None:
    figures = [
        {
            "name": row.name,
            "widths": row.shape.widths,
            "multiplications": round(multiplications(row.shape), 2),
            **asdict(row.trial),
        }
        for row in rows
    ]
    whole_file.write(path, (json.dumps({"cuts": asdict(cuts), "networks": figures}, indent=1) + "\n").encode())


def _parser() -> argparse.ArgumentParser:
    default = Cuts()
    parser = argparse.ArgumentParser(
        prog="python -m training.prune", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("checkpoint", type=Path, help="of the network to be cut")
    parser.add_argument("--samples", type=Path, required=True, help="a folder that training.mine has written")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--to", type=float, default=default.to, help="share of multiplications left (%(default)s)")
    parser.add_argument("--by", choices=get_args(By), default=default.by, help="what is important (%(default)s)")
    parser.add_argument("--rounds", type=count, default=default.rounds, help="of cutting and teaching (%(default)s)")
    parser.add_argument("--multiple", type=count, default=default.multiple, help="of channels (%(default)s)")
    parser.add_argument(
        "--recovery", type=float, default=default.recovery, help="share of --steps between cuts (%(default)s)"
    )
    parser.add_argument("--also-anew", action="store_true", help="teach the small shape from nothing, too")
    parser.add_argument("--threads", type=count, default=torch.get_num_threads(), help="(%(default)s)")
    course_flags.add(parser)
    return parser


if __name__ == "__main__":
    sys.exit(main())
