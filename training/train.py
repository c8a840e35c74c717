"""Teach one network, from its samples to a checkpoint.

    python -m training.train pnet --samples SAMPLES/pnet --out RUN/pnet --form strided
    python -m training.train onet --samples SAMPLES/onet --out RUN/onet --steps 40000 --landmark-loss wing
    python -m training.train pnet --samples SAMPLES/pnet --out RUN/pnet_int8 --round RUN/pnet/best.pt
    torchrun --nproc-per-node 4 -m training.train onet --samples SAMPLES/onet --out RUN/onet

OUT gets `best.pt`, the network that did best on the samples held out, `last.pt`, from which the same command goes on
after an interruption, and `curves` for TensorBoard. --round takes a taught network and teaches it to live with int8.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import torch

from checkpoints.errors import DataError
from checkpoints.exit_code import GOES_ON, exit_code
from engines.flags import count
from training import checkpoint, course_flags, teacher_odds
from training.checkpoint import AnyNet
from training.fit import fit
from training.nets import Net
from training.quantised import QuantisedNet
from training.samples import open_samples
from training.shapes import FORMS, PARTS, Form, Part, shape


def begin(part: Part, form: Form, *, after: Path | None, rounded: Path | None, learned_steps: bool) -> AnyNet:
    """A new network, one to be taught on, or one to be taught to round."""
    if rounded is not None:
        net = checkpoint.load(rounded, part)
        if isinstance(net, QuantisedNet):
            raise DataError("This network rounds already.", saw=f"--round {rounded}", fix="Teach it on with --after.")
        return QuantisedNet(net, learned_steps=learned_steps)
    if after is not None:
        return checkpoint.load(after, part)
    return Net(shape(part, form))


def main(arguments: Sequence[str] | None = None) -> int:
    args = _parser().parse_args(arguments)
    torch.set_num_threads(args.threads)
    return exit_code(lambda: _train(args), GOES_ON)


def _train(args: argparse.Namespace) -> int:
    course = course_flags.course(args)
    torch.manual_seed(course.seed)
    net = begin(args.part, args.form, after=args.after, rounded=args.round, learned_steps=args.learned_steps)
    taught = open_samples(args.samples / "taught", args.part)
    held_out = open_samples(args.samples / "held_out", args.part)
    odds = teacher_odds.read(args.samples / "taught", len(taught)) if course.teacher else None
    trial = fit(net, taught, held_out, course, args.out, teacher_odds=odds)
    sys.stdout.write(f"{args.out / 'best.pt'}: {trial}\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training.train", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("part", choices=PARTS)
    parser.add_argument("--samples", type=Path, required=True, help="a folder that training.mine has written")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--form", choices=FORMS, default="plain", help="of a new network (%(default)s)")
    parser.add_argument("--after", type=Path, metavar="CHECKPOINT", help="teach this network on")
    parser.add_argument("--round", type=Path, metavar="CHECKPOINT", help="teach this network to live with int8")
    parser.add_argument("--learned-steps", action="store_true", help="the steps of the rounding are learned, too")
    parser.add_argument("--threads", type=count, default=torch.get_num_threads(), help="(%(default)s)")
    course_flags.add(parser)
    return parser


if __name__ == "__main__":
    sys.exit(main())
