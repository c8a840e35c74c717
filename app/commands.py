"""What stands behind `python -m app.main`: without a command it watches, the commands do everything else.

python -m app.main --source 0            watch a camera (--help tells all flags)
python -m app.main enroll NAME IMAGE…    make somebody known
python -m app.main gallery list          who is known (show, rename, merge, delete, export, calibrate, why …)
python -m app.main unknowns list         who was seen that has no name
python -m app.main strangers add IMAGE…  faces that must not be named
python -m app.main identify PATH…        who is on photographs (detect: only where faces are)
python -m app.main audit                 who has enrolled, named and deleted whom
python -m app.main keys make|seal|rotate what is encrypted on disk, and with which key
python -m app.main index DIR…            search recordings for faces
python -m app.main find PHOTO…           where somebody was seen in them
python -m app.main fleet up --cameras F  cameras on many machines (status, move, drain, logs, down, node)
python -m app.main doctor                what works on this machine
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from app import cameras, demo_gallery, flags
from app.flags import FlagParser, Plan
from app.run import Run
from app.service.service import Service
from checkpoints.errors import SettingsError, UserError
from pipeline.wiring import check

COMMANDS = (
    *("enroll", "gallery", "unknowns", "strangers", "detect", "identify", "index", "find", "fleet", "audit", "keys"),
    "doctor",
)
_FURTHER_HELP = "commands: " + ", ".join(f"{name} (see {name} --help)" for name in COMMANDS)


def main(arguments: Sequence[str]) -> int:
    words = list(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    try:
        return _command(words) if words and words[0] in COMMANDS else _watch(words)
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def _command(words: list[str]) -> int:
    args = parser_of_commands().parse_args(words)
    code: int = args.command(args)
    return code


def parser_of_commands() -> FlagParser:
    from app import auditing, doctor, enrolment, keys, people, pictures, strangers, unknowns
    from app.archive import commands as archive
    from app.fleet import commands as fleet

    parser = FlagParser(prog="python -m app.main", description=__doc__, allow_abbrev=False)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for module in (enrolment, people, unknowns, strangers, pictures, archive, fleet, auditing, keys, doctor):
        module.add_parsers(commands)
    return parser


def _watch(words: list[str]) -> int:
    check()
    parser = flags.parser()
    parser.epilog = f"{parser.epilog}\n{_FURTHER_HELP}\n"
    parsed = _parsed(parser, words)
    plan = flags.read(parsed)
    if all(camera.source == "demo" for camera in plan.config.cameras):
        return _demo(plan)
    service = Service(plan.manager, plan.stale_s, lambda: flags.read(parsed).config)
    return Run(plan.config, report=plan.report, trace=plan.trace, sides=plan.sides, service=service)()


def _parsed(parser: argparse.ArgumentParser, words: list[str]) -> argparse.Namespace:
    """A first word that is no flag was meant as a command."""
    if words and not words[0].startswith("-") and not Path(words[0]).exists():
        raise SettingsError(
            "There is no such command.",
            saw=cameras.shown(words[0]),  # an address may carry a password
            fix=f"one of {', '.join(COMMANDS)}, or flags: see --help",
        )
    return parser.parse_args(words)


def _demo(plan: Plan) -> int:
    """With a gallery of its own that knows the person of the demo, and at a pace that can be watched."""
    config = plan.config
    with TemporaryDirectory(prefix="facewire-demo-") as folder:
        config = replace(config, gallery=replace(config.gallery, path=Path(folder) / "gallery"))
        if plan.is_watched and config.capture.realtime_fps is None:
            config = replace(config, capture=replace(config.capture, lossless=False))
        demo_gallery.fill(config)
        service = Service(plan.manager, plan.stale_s, lambda: config)
        return Run(config, report=plan.report, trace=plan.trace, sides=plan.sides, service=service)()
