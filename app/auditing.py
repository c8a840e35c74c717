"""audit: who has enrolled, named, changed and deleted whom."""

from __future__ import annotations

import argparse

from app import audit, flags, settings
from app.opened import add_json, moment, print_json, table


def add_parsers(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "audit",
        help="who has enrolled, named and deleted whom",
        description="Who has enrolled, named, changed, taken out and deleted whom, oldest first. The names of people "
        "who were deleted are not in it any more.",
        allow_abbrev=False,
    )
    parser.add_argument("--person", metavar="NAME", help="only what is about this person")
    add_json(parser)
    parser.set_defaults(command=audit_command)


def audit_command(args: argparse.Namespace) -> int:
    chosen = settings.read(flags.given(args))
    found = [
        one
        for one in audit.here(chosen).entries()
        if args.person is None or args.person in (one.get("person"), one.get("into"))
    ]
    if args.json:
        print_json(found)
    elif found:
        print(table(("time", "who", "what", "person", "more"), [_row(one) for one in found]))
    else:
        print("Nothing was written down.")
    return 0


def _row(said: dict[str, object]) -> tuple[str, ...]:
    by = said.get("by")
    who = " ".join(str(value) for value in by.values() if value) if isinstance(by, dict) else "-"
    more = ", ".join(f"{key} {said[key]}" for key in said if key not in ("t", "by", "action", "person"))
    return moment(str(said.get("t", ""))), who, str(said.get("action", "")), str(said.get("person") or "-"), more
