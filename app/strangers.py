"""strangers add|list|delete: "this is nobody I know". A face that is most like a stranger is given no name."""

from __future__ import annotations

import argparse
from pathlib import Path

from app import enrolment, flags, photographs
from app.opened import add_json, add_yes, is_wished, moment, opened, print_json, table
from checkpoints.errors import GalleryError
from pipeline.gallery import svm_matcher


def add_parsers(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "strangers",
        help="faces that must not be named",
        description="Negative examples: people who were given the name of somebody else, and must not be again.",
        allow_abbrev=False,
    )
    verbs = parser.add_subparsers(required=True, metavar="add|list|delete")
    adding = verbs.add_parser("add", help="pictures of strangers, one face each", allow_abbrev=False)
    adding.add_argument("paths", metavar="IMAGE", nargs="+", type=Path, help="a picture, or a folder of pictures")
    enrolment.add_flags(adding)
    adding.set_defaults(command=add_command)
    listing = verbs.add_parser("list", help="their pictures", allow_abbrev=False)
    add_json(listing)
    listing.set_defaults(command=list_command)
    deleting = verbs.add_parser("delete", help="erase pictures of strangers", allow_abbrev=False)
    deleting.add_argument("ids", metavar="ID", nargs="*", help="as list shows them; without any: all")
    add_yes(deleting)
    deleting.set_defaults(command=delete_command)
    for verb in (listing, deleting):
        flags.add_flags(verb, flags.GALLERY_FLAGS)


def add_command(args: argparse.Namespace) -> int:
    paths = photographs.find(args.paths)
    with enrolment.enroller(args) as ready:
        (report,) = enrolment.enrol_all(ready, {None: paths})
    return report.exit_code


def list_command(args: argparse.Namespace) -> int:
    with opened(args) as here:
        strangers = list(here.gallery.kept([None]))
    if args.json:
        print_json([{"id": one.id, "source": one.picture.source, "since": one.time} for one in strangers])
    elif strangers:
        print(table(("picture", "since", "id"), [(s.picture.source or "-", moment(s.time), s.id) for s in strangers]))
    else:
        print("There are no strangers.")
    return 0


def delete_command(args: argparse.Namespace) -> int:
    with opened(args) as here:
        there = [entry.id for entry in here.gallery.entries([None])]
        wanted = args.ids or there
        missing = [one for one in wanted if one not in there]
        if missing:
            raise GalleryError(
                "There is no such picture of a stranger.", saw="\n".join(missing), fix="see them: strangers list"
            )
        if not is_wished(f"Erase {len(wanted)} pictures of strangers?", args):
            print("nothing was erased")
            return 1
        count = here.gallery.remove(wanted)
        if count:
            svm_matcher.erase(here.config.path)
            here.audit.tell("erased strangers", pictures=count)
    print(f"pictures of strangers erased: {count}")
    return 0
