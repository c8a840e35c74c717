"""Fetch the models that the settings name and build their engines: what run.sh does once, before the first run.

python -m app.prepare [--where FILE]
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from app import flags, settings
from checkpoints.errors import UserError
from checkpoints.fetch import DEFAULTS, fetch
from engines.build import build
from engines.models import is_brought
from engines.options import EngineOptions
from pipeline.wiring import LARGEST_FRAME_WH


def wanted(options: EngineOptions) -> list[str]:
    """The default models, which the tests and the demo use, and those that the settings name."""
    named = [name for name in (options.detector, options.embedder) if not is_brought(name)]
    return list(dict.fromkeys([*DEFAULTS, *named]))


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m app.prepare", description="Fetch models and build engines.")
    parser.add_argument("--where", type=Path, metavar="FILE", help="write the folder of the models to this file")
    args = parser.parse_args(arguments)
    try:
        chosen = settings.read()
        options = flags.engine_options(chosen)
        fetch(wanted(options), options.models, print)
        print(*build(options, chosen.source.size_wh or LARGEST_FRAME_WH), sep="\n")
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    if args.where is not None:
        args.where.write_text(f"{options.models}\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
