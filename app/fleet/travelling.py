"""fleet journeys: who went where, from camera to camera."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta, timezone

from app import flags, settings, values
from app.fleet.journeys import PAUSE_S, Journey, Seen, journeys
from app.fleet.likeness import Met, joined, seen_of
from app.opened import add_json, moment, print_json, table
from checkpoints.errors import SettingsError
from engines.models import embedder_model
from pipeline.outlets.stored import written

_DAY_H = 24.0


def add_flags(parser: argparse.ArgumentParser) -> None:
    parser.epilog = (
        "examples: `fleet journeys Ann`, `fleet journeys --unknown --hours 2 --json`. An unknown person is told by the "
        "camera that saw him or her first, and what that camera calls the face."
    )
    parser.add_argument("name", metavar="NAME", nargs="?", help="somebody who is known")
    parser.add_argument("--unknown", action="store_true", help="everybody whom nobody has a name for")
    parser.add_argument("--hours", metavar="H", default=f"{_DAY_H:g}", help="of so many hours (%(default)s)")
    parser.add_argument(
        "--pause",
        metavar="MINUTES",
        default=f"{PAUSE_S / 60:g}",
        help="who is not seen for so long has come back for another journey (%(default)s)",
    )
    add_json(parser)
    flags.add_flags(parser, ["EMBEDDING_ENGINE"])


def journeys_command(args: argparse.Namespace) -> int:
    from app.fleet import cluster

    if (args.name is None) == (not args.unknown):
        raise SettingsError(
            "Whose journeys?", saw="a name and --unknown" if args.name else "no name", fix="give a NAME, or --unknown"
        )
    since = written(datetime.now(timezone.utc) - timedelta(hours=_number("--hours", args.hours)))
    pause_s = _number("--pause", args.pause) * 60
    control = cluster.control()
    if args.unknown:
        found = of_unknown(cluster.ask(control.met.remote(since)), _near(args), pause_s)
    else:
        seen: list[Seen] = cluster.ask(control.seen.remote(args.name, since))
        found = journeys(args.name, seen, pause_s=pause_s)
    if args.json:
        print_json([asdict(one) for one in found])
    else:
        print(journeys_table(found) if found else "Nobody of this kind was seen.")
    return 0


def of_unknown(met: Sequence[Met], near: float, pause_s: float = PAUSE_S) -> list[Journey]:
    """Of each person, who is called as the camera does that was first; those that were seen last come first."""
    people = joined(met, near)
    found = [journey for one in people for journey in journeys(one[0].id, seen_of(one), pause_s=pause_s)]
    return sorted(found, key=lambda journey: (journey.last, journey.who), reverse=True)


def journeys_table(found: Sequence[Journey]) -> str:
    rows = [(one.who, moment(one.first), moment(one.last)[11:], " → ".join(one.cameras)) for one in found]
    return table(("who", "from", "to", "way"), rows)


def _near(args: argparse.Namespace) -> float:
    known = embedder_model(flags.engine_options(settings.read(flags.given(args)))).known
    assert known.match_threshold is not None
    return known.match_threshold


def _number(flag: str, text: str) -> float:
    try:
        return values.number(0.01, 100_000)(text)
    except ValueError as error:
        raise SettingsError("The journeys cannot be told.", saw=f"{flag} {text} {error}") from error
