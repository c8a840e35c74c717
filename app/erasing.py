"""gallery delete NAME: everything that this program keeps of a person is erased, and it is said what that was."""

from __future__ import annotations

import argparse
import shutil
import time
from dataclasses import asdict, dataclass

from app import flags
from app.opened import Opened, add_json, add_yes, is_wished, nobody, opened, print_json
from pipeline.erasure import erase_events
from pipeline.gallery import svm_matcher
from pipeline.gallery.desk_client import DeskGallery
from pipeline.gallery.folder import BEFORE
from pipeline.gallery.sightings import Sightings

# Frames that had the name already when the running program heard of it still become events.
_ON_THE_WAY_S = 1.0


@dataclass(frozen=True, slots=True)
class Erased:
    """older  whether a gallery from before a migration was erased, which had everybody's pictures"""

    pictures: int
    cutouts: int
    sightings: int
    events: int
    older: bool

    def __str__(self) -> str:
        parts = [
            f"{self.pictures} pictures with their embeddings",
            f"{self.cutouts} cut-outs",
            f"{self.sightings} sightings",
            f"{self.events} events",
        ]
        older = "; the gallery from before a migration, too" if self.older else ""
        return f"erased: {', '.join(parts)}{older}"


def add_verbs(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = verbs.add_parser(
        "delete",
        help="forget a person and erase everything about it",
        description="Forget a person: pictures, embeddings, cut-outs, sightings, and the events in the file that the "
        "settings name, also while the program runs. Exports, backups and recordings are yours to erase.",
        allow_abbrev=False,
    )
    parser.add_argument("name", metavar="NAME")
    add_yes(parser)
    add_json(parser)
    flags.add_flags(parser, [*flags.GALLERY_FLAGS, "EVENTS"])
    parser.set_defaults(command=delete_command)


def delete_command(args: argparse.Namespace) -> int:
    with opened(args) as here:
        if not is_wished(f"Forget {args.name} and erase all that is kept of this person?", args):
            print("nothing was erased")
            return 1
        erased = erase(here, args.name)
        if not (erased.pictures or erased.sightings or erased.events):
            raise nobody(here.gallery, args.name)
    if args.json:
        print_json({"name": args.name, **asdict(erased)})
    else:
        print(f"{args.name} is forgotten; {erased}")
        if here.chosen.output.events is None:
            print("no file of events was named (EVENTS, --events), so none was looked through")
    return 0


def erase(here: Opened, name: str) -> Erased:
    """The pictures go first, so that a running program stops telling the name; what is cut short can be asked again."""
    folder = here.config.path
    cutouts = sum(kept.picture.cutout is not None for kept in here.gallery.kept([name]))
    older = (folder / BEFORE).is_dir() and next(here.gallery.entries([name]), None) is not None
    if older:
        shutil.rmtree(folder / BEFORE)
    pictures = here.gallery.delete(name)
    if pictures:
        svm_matcher.erase(folder)
        if isinstance(here.gallery, DeskGallery):
            time.sleep(_ON_THE_WAY_S)
    sightings = Sightings(folder).erase(lambda one: one.name == name)
    events = 0 if here.chosen.output.events is None else erase_events(here.chosen.output.events, name)
    return Erased(pictures, cutouts, sightings, events, older)
