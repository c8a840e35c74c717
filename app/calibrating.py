"""gallery calibrate: the threshold for a wished rate of false names, in this gallery at its size."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from app import flags, values
from app.opened import add_json, opened, print_json
from checkpoints.errors import GalleryError
from checkpoints.manifest import Manifest
from engines.models import embedder_model
from pipeline.config import GalleryConfig
from pipeline.gallery import calibration
from pipeline.gallery.calibration import Calibration
from pipeline.gallery.matcher import margin_scale

_BASIS = {
    "table": "how alike strangers are to this embedder",
    "gallery": "how alike the people of this gallery are",
    "both": "how alike strangers are to this embedder, and how alike the people of this gallery are",
}


def add_verbs(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = verbs.add_parser(
        "calibrate",
        help="the threshold for a wished rate of false names",
        description="The threshold from which a name may be given, so that no more than the wished share of strangers "
        "is given one; the running program computes the same for the rate in FALSE_NAMES.",
        allow_abbrev=False,
    )
    parser.add_argument("--rate", type=_rate, help="share of strangers that may be given a name (default FALSE_NAMES)")
    add_json(parser)
    flags.add_flags(parser, [*flags.GALLERY_FLAGS, "EMBEDDING_ENGINE"])
    parser.set_defaults(command=calibrate_command)


def calibrate_command(args: argparse.Namespace) -> int:
    with opened(args) as here:
        known = embedder_model(flags.engine_options(here.chosen)).known
        check_space(here.gallery.space, known)
        rate = here.config.false_names if args.rate is None else args.rate
        made = calibration.calibrate(here.gallery, known, rate, margin=margin_of(here.config, known))
        if rate == here.config.false_names:
            calibration.save(here.config.path, made)
    if args.json:
        print_json(asdict(made))
        return 0
    print("\n".join(told(made)))
    print(f"it rests on {_BASIS[made.basis]}")
    if here.config.match_threshold is not None:
        print(f"but MATCH_THRESHOLD={here.config.match_threshold:g} is set by hand, and wins")
    elif rate != here.config.false_names:
        print(
            f"the program uses FALSE_NAMES={here.config.false_names:g}; to use this threshold, set FALSE_NAMES={rate:g}"
        )
    return 0


def told(made: Calibration) -> list[str]:
    misses = (
        "cannot be told" if made.expected_misses is None else f"{made.expected_misses:.1%} of known people's tracks"
    )
    return [
        f"threshold       {made.threshold:.3f}",
        f"false names     {made.rate:.3%} of strangers' tracks are given a name at most",
        f"misses          {misses}",
        f"gallery         {made.people} people, {made.pictures} pictures",
    ]


def margin_of(config: GalleryConfig, known: Manifest) -> float:
    """As the running program takes it."""
    return config.match_margin * margin_scale(known)


def check_space(kept: str, known: Manifest) -> None:
    if kept != known.embedding_space:
        raise GalleryError(
            "The gallery was made with another embedder.",
            saw=f"{kept} in the gallery, {known.embedding_space} in the settings",
            fix="name the embedder with --embedder (EMBEDDING_ENGINE), or move the people: gallery migrate",
        )


def _rate(text: str) -> float:
    try:
        return values.number(0.00001, 0.5)(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text} {error}") from error
