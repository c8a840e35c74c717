"""What `testbench.accuracy identify` is asked beside its models: matcher, pictures, shots, calibration."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import get_args

from checkpoints.errors import DataError, ModelError
from checkpoints.fields import Fields
from checkpoints.impostors import impostors
from checkpoints.manifest import Manifest
from engines.models import embedder_model
from engines.options import EngineOptions
from pipeline.config import Matcher
from testbench import engine_flags
from testbench.embeddings import embedded
from testbench.identification import Setup, measure
from testbench.impostors import measured

PROMISED = 0.01


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--matcher", choices=get_args(Matcher), default="nearest", help="(%(default)s)")
    parser.add_argument(
        "--enrolled", type=engine_flags.count, default=1, metavar="K", help="pictures each (%(default)s)"
    )
    parser.add_argument(
        "--shots",
        type=engine_flags.count,
        default=1,
        metavar="N",
        help="pictures of a probe, judged by vote (%(default)s)",
    )
    parser.add_argument(
        "--calibrated",
        choices=("manifest", "other-half"),
        help="also with the threshold that calibration gives for 1 %% of false names: by the manifest's table, or by "
        "one measured on every second person, who then takes no other part",
    )
    parser.add_argument("--embeddings", type=Path, metavar="FILE.npz", help="keep embeddings here for the next time")


def report(args: argparse.Namespace, people: Mapping[str, Sequence[Path]], options: EngineOptions) -> dict[str, object]:
    known = embedder_model(options).known
    if args.calibrated == "other-half":
        people, known = _halved(people, known, options, args.embeddings)
    if args.calibrated is not None and known.impostors is None:
        raise ModelError(
            "There is nothing to calibrate with.",
            saw=f"no table of impostors in the manifest of {known.name}",
            fix="Measure it: python -m testbench.impostors; or use --calibrated other-half.",
        )
    setup = Setup(args.matcher, args.enrolled, args.shots)
    look = partial(embedded, options=options, cache=args.embeddings)
    found = measure(people, look, known, setup, promised=PROMISED if args.calibrated else None)
    return asdict(setup) | asdict(found)


def _halved(
    people: Mapping[str, Sequence[Path]], known: Manifest, options: EngineOptions, cache: Path | None
) -> tuple[Mapping[str, Sequence[Path]], Manifest]:
    """Every second person to be identified, and the manifest with a table of the others."""
    names = list(people)
    fields = Fields(measured({name: people[name] for name in names[::2]}, options, cache))
    table = impostors(fields)
    if fields.wrong:
        raise DataError("The table of half the people cannot be used.", saw="\n".join(fields.wrong))
    return {name: people[name] for name in names[1::2]}, replace(known, impostors=table)
