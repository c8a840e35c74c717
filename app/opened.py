"""The gallery that a command is about, opened and closed again."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from app import audit, flags, settings, values
from app.audit import Audit
from app.settings import Settings
from checkpoints.errors import GalleryError
from pipeline.config import GalleryConfig
from pipeline.gallery.edits import Edited
from pipeline.gallery.opening import reopen_of


@dataclass(frozen=True, slots=True)
class Opened:
    gallery: Edited
    config: GalleryConfig
    chosen: Settings
    audit: Audit


@contextmanager
def opened(args: argparse.Namespace) -> Iterator[Opened]:
    """Whoever holds it; GalleryError when there is none."""
    chosen = settings.read(flags.given(args))
    config = flags.gallery_config(chosen)
    gallery = reopen_of(config)
    try:
        yield Opened(gallery, config, chosen, audit.here(chosen))
        health = gallery.health()
        if health.away_s is not None:
            print(f"the gallery's server does not answer; changes that wait for it: {health.waiting}", file=sys.stderr)
    finally:
        gallery.close()


def nobody(gallery: Edited, name: str) -> GalleryError:
    names = [person.name for person in gallery.people()]
    return GalleryError(
        "There is nobody of this name.",
        saw=f"{name}{values.did_you_mean(name, names)}",
        fix="see who is known: gallery list",
    )


def is_wished(question: str, args: argparse.Namespace) -> bool:
    """Asked only where somebody sits who can answer."""
    if args.yes or not sys.stdin.isatty():
        return True
    return input(f"{question} [y/N] ").strip().lower() in values.YES | {"y"}


def add_yes(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--yes", action="store_true", help="do not ask")


def add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="for programs: JSON")


def print_json(said: object) -> None:
    print(json.dumps(said, ensure_ascii=False, indent=2))


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Numbers to the right, all else to the left."""
    texts = [list(head), *([str(cell) for cell in row] for row in rows)]
    widths = [max(len(row[column]) for row in texts) for column in range(len(head))]
    right = [bool(rows) and all(isinstance(row[column], int | float) for row in rows) for column in range(len(head))]
    lines = [
        "  ".join(
            cell.rjust(width) if is_right else cell.ljust(width)
            for cell, width, is_right in zip(row, widths, right, strict=True)
        )
        for row in texts
    ]
    return "\n".join(line.rstrip() for line in lines)


def moment(iso: str) -> str:
    """UTC, to the minute."""
    return iso[:16].replace("T", " ")
