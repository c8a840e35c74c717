"""gallery list|delete: who is known."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from app import flags, settings, values
from checkpoints.errors import GalleryError
from pipeline.gallery.gallery import Person
from pipeline.gallery.opening import gallery_exists, reopen_gallery


def add_parsers(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser("gallery", help="who is known", description="Who is known.", allow_abbrev=False)
    verbs = parser.add_subparsers(required=True, metavar="list|delete")
    listing = verbs.add_parser("list", help="everybody, by name", allow_abbrev=False)
    listing.set_defaults(command=list_command)
    deleting = verbs.add_parser("delete", help="forget a person and erase the pictures", allow_abbrev=False)
    deleting.add_argument("name", metavar="NAME")
    deleting.set_defaults(command=delete_command)
    for verb in (listing, deleting):
        flags.add_flags(verb, ["GALLERY_DIR"])


def list_command(args: argparse.Namespace) -> int:
    path = settings.read(flags.given(args)).gallery_dir
    people: list[Person] = []
    if gallery_exists(path):
        gallery = reopen_gallery(path)
        people = gallery.people()
        gallery.close()
    print(table(people) if people else f"Nobody is enrolled in {path}.")
    return 0


def delete_command(args: argparse.Namespace) -> int:
    gallery = reopen_gallery(settings.read(flags.given(args)).gallery_dir)
    try:
        erased = gallery.delete(args.name)
        names = [person.name for person in gallery.people()]
    finally:
        gallery.close()
    if not erased:
        raise GalleryError(
            "There is nobody of this name.",
            saw=f"{args.name}{values.did_you_mean(args.name, names)}",
            fix="see who is known: gallery list",
        )
    print(f"{args.name} is forgotten; pictures erased: {erased}")
    return 0


def table(people: Sequence[Person]) -> str:
    width = max(len("name"), *(len(person.name) for person in people))
    lines = [f"{'name':{width}}  pictures  since"]
    lines += [f"{person.name:{width}}  {person.pictures:8}  {person.since[:16].replace('T', ' ')}" for person in people]
    return "\n".join(lines)
