"""gallery list|show|rename|merge|…: who is known."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import asdict

from app import calibrating, changing, cluster, erasing, flags, moving, settings, why
from app.opened import Opened, add_json, moment, nobody, opened, print_json, table
from pipeline.gallery.gallery import Kept, Person
from pipeline.gallery.opening import gallery_exists
from pipeline.gallery.sightings import Sighting, Sightings


def add_parsers(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser("gallery", help="who is known", description="Who is known.", allow_abbrev=False)
    names = "list|show|rename|merge|delete|purge|export|import|backup|calibrate|migrate|cluster|why"
    verbs = parser.add_subparsers(required=True, metavar=names)
    listing = _verb(verbs, "list", "everybody, by name", list_command)
    add_json(listing)
    showing = _verb(verbs, "show", "a person's pictures, and when it was seen before it had a name", show_command)
    showing.add_argument("name", metavar="NAME")
    add_json(showing)
    renaming = _verb(verbs, "rename", "give a person another name", rename_command)
    renaming.add_argument("name", metavar="OLD")
    renaming.add_argument("new_name", metavar="NEW")
    merging = _verb(verbs, "merge", "two names are one person: FROM's pictures become INTO's", merge_command)
    merging.add_argument("name", metavar="FROM")
    merging.add_argument("into", metavar="INTO")
    for module in (erasing, moving, calibrating, cluster, why):
        module.add_verbs(verbs)


def _verb(
    verbs: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    text: str,
    command: Callable[[argparse.Namespace], int],
) -> argparse.ArgumentParser:
    parser = verbs.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.", allow_abbrev=False)
    flags.add_flags(parser, flags.GALLERY_FLAGS)
    parser.set_defaults(command=command)
    return parser


def list_command(args: argparse.Namespace) -> int:
    config = flags.gallery_config(settings.read(flags.given(args)))
    people: list[Person] = []
    strangers = 0
    if config.server is not None or gallery_exists(config.path):
        with opened(args) as here:
            people = here.gallery.people()
            strangers = here.gallery.count() - sum(person.pictures for person in people)
    if args.json:
        print_json([asdict(person) for person in people])
        return 0
    print(list_table(people) if people else f"Nobody is enrolled in {config.path}.")
    if strangers:
        print(f"and {strangers} pictures of strangers, who are given no name: strangers list")
    return 0


def show_command(args: argparse.Namespace) -> int:
    with opened(args) as here:
        pictures = _pictures(here, args.name)
        seen = Sightings(here.config.path, here.config.seal).of(args.name)
    if args.json:
        print_json(
            {
                "name": args.name,
                "pictures": [_as_json(kept) for kept in pictures],
                "sightings": [asdict(one) for one in seen],
            }
        )
        return 0
    print(f"{args.name}: {len(pictures)} pictures")
    rows = [
        (kept.picture.source or "-", round(kept.picture.quality, 2), moment(kept.time), kept.id) for kept in pictures
    ]
    print(table(("picture", "quality", "enrolled", "id"), rows))
    if seen:
        print(f"\nseen before the name was known: {len(seen)} times")
        print(sightings_table(seen))
    return 0


def rename_command(args: argparse.Namespace) -> int:
    with opened(args) as here:
        _pictures(here, args.name)
        count = changing.rename(here.gallery, here.config, args.name, args.new_name, here.audit)
    print(f"{args.name} is {args.new_name} now; pictures: {count}. Events that were written keep the old name")
    return 0


def merge_command(args: argparse.Namespace) -> int:
    with opened(args) as here:
        _pictures(here, args.name)
        _pictures(here, args.into)
        count = changing.merge(here.gallery, here.config, args.name, args.into, here.audit)
        total = len(list(here.gallery.entries([args.into])))
    print(f"{args.name} is {args.into} now; pictures moved: {count}, pictures of {args.into}: {total}")
    return 0


def list_table(people: Sequence[Person]) -> str:
    return table(("name", "pictures", "since"), [(one.name, one.pictures, moment(one.since)) for one in people])


def sightings_table(seen: Sequence[Sighting]) -> str:
    rows = [(moment(one.first), one.last[11:16], one.camera, one.event) for one in seen]
    return table(("from", "to", "camera", "event"), rows)


def _pictures(here: Opened, name: str) -> list[Kept]:
    """Without their cut-outs and vectors being of interest; GalleryError for somebody unknown."""
    found = list(here.gallery.kept([name]))
    if not found:
        raise nobody(here.gallery, name)
    return found


def _as_json(kept: Kept) -> dict[str, object]:
    picture = kept.picture
    return {
        "id": kept.id,
        "source": picture.source,
        "quality": round(picture.quality, 3),
        "enrolled": kept.time,
        "image_hash": picture.image_hash,
        "cutout": picture.cutout is not None,
    }
