"""gallery delete NAME: everything that this program keeps of a person is erased, and it is said what that was."""

from __future__ import annotations

import argparse
import shutil
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta

from app import flags, outgoing, settings
from app.opened import Opened, add_json, add_yes, is_wished, nobody, opened, print_json
from pipeline.erasure import Seen, erase_events
from pipeline.gallery import svm_matcher
from pipeline.gallery.desk_client import DeskGallery
from pipeline.gallery.folder import BEFORE
from pipeline.gallery.purging import purge
from pipeline.gallery.sightings import Sighting, Sightings
from pipeline.outlets.forgetting import forget
from pipeline.outlets.stored import written

# Frames that had the name already when the running program heard of it still become events.
_ON_THE_WAY_S = 1.0
_AROUND = timedelta(seconds=10)
_QUICKLY_PURGED = 20_000  # pictures; more take a minute


@dataclass(frozen=True, slots=True)
class Erased:
    """older   whether a gallery from before a migration was erased, which had everybody's pictures
    purged  whether the gallery's files were written anew: until then they hold what was erased
    """

    pictures: int
    cutouts: int
    sightings: int
    events: int
    older: bool
    purged: bool = False

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
        "settings name, also while the program runs. Exports, backups, recordings, clips and snapshots are yours to "
        "erase.",
        allow_abbrev=False,
    )
    parser.add_argument("name", metavar="NAME")
    add_yes(parser)
    add_json(parser)
    flags.add_flags(parser, [*flags.GALLERY_FLAGS, "EVENTS"])
    parser.set_defaults(command=delete_command)
    purging = verbs.add_parser(
        "purge",
        help="write the gallery's files anew, without what was deleted",
        description="Write the gallery's files anew, so that nothing of what was deleted is left in them. "
        "`gallery delete` does so by itself unless the program runs or the gallery is large.",
        allow_abbrev=False,
    )
    flags.add_flags(purging, ["GALLERY_DIR"])
    purging.set_defaults(command=purge_command)


def delete_command(args: argparse.Namespace) -> int:
    with opened(args) as here:
        if not is_wished(f"Forget {args.name} and erase all that is kept of this person?", args):
            print("nothing was erased")
            return 1
        erased = erase(here, args.name)
        if not (erased.pictures or erased.sightings or erased.events):
            raise nobody(here.gallery, args.name)
        may_purge = not isinstance(here.gallery, DeskGallery) and here.gallery.count() < _QUICKLY_PURGED
    if may_purge and erased.pictures:
        purge(here.config.path, here.config.seal)
        erased = replace(erased, purged=True)
    if args.json:
        print_json({"name": args.name, **asdict(erased)})
    else:
        print(f"{args.name} is forgotten; {erased}")
        if not outgoing.known_logs(here.chosen):
            print("no file of events was named (EVENTS, --events), so none was looked through")
        if erased.pictures and not erased.purged:
            print("the bytes stay in the gallery's files until they are written anew: gallery purge")
    return 0


def purge_command(args: argparse.Namespace) -> int:
    config = flags.gallery_config(settings.read(flags.given(args)))
    print(
        f"{config.path} is written anew with its {purge(config.path, config.seal)} pictures; nothing else is left in it"
    )
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
    names = _names_of(here, name)
    book = Sightings(folder, here.config.seal)
    seen = [seen_of(one) for one in book.all() if one.name in names]
    # The sightings last: they tell which events to erase, should this be cut short.
    events = sum(_erase_events(here, one, seen) for one in names)
    sightings = book.erase(lambda one: one.name in names)
    if pictures or sightings or events:
        _write_down(here, names, pictures=pictures, sightings=sightings, events=events)
    return Erased(pictures, cutouts, sightings, events, older)


def _names_of(here: Opened, name: str) -> list[str]:
    """With the names that it had before: events that were written then still have them. Not if they are others' now."""
    return [name, *(one for one in here.audit.earlier_names(name) if next(here.gallery.entries([one]), None) is None)]


def seen_of(sighting: Sighting) -> Seen:
    """The face of the sighting, with some time around: events tell of it before its first good picture."""
    first, last = (datetime.fromisoformat(time.replace("Z", "+00:00")) for time in (sighting.first, sighting.last))
    track = sighting.event.rpartition("/")[2]
    since, until = written(first - _AROUND), written(last + _AROUND)
    return Seen(sighting.camera, int(track) if track.isdecimal() else -1, since, until)


def _erase_events(here: Opened, name: str, seen: Sequence[Seen]) -> int:
    told = sum(erase_events(log, name, seen) for log in outgoing.known_logs(here.chosen))
    return max(told, forget(outgoing.store_dir(here.chosen), name, seen))


def _write_down(here: Opened, names: Sequence[str], *, pictures: int, sightings: int, events: int) -> None:
    """The names leave all lines of before, too: they are not to be found anywhere any more."""
    for name in names[1:]:
        here.audit.forget(name)
    here.audit.tell(
        "deleted", person=here.audit.forget(names[0]), pictures=pictures, sightings=sightings, events=events
    )
