"""index PLACE… and find PHOTO…: recordings searched for faces, and where somebody was seen in them."""

from __future__ import annotations

import argparse
import secrets
import sys
import time
from pathlib import Path

from app import extra, flags, settings, values
from app.archive.progress import Bar
from app.fleet import joining, keys
from app.outputs import check_writable
from app.settings import Settings

_INDEX_EXAMPLES = """examples:
  python -m app.main index recordings                        every video below this folder
  python -m app.main index recordings/door --camera door     their names do not say which camera it was
  python -m app.main index s3://bucket/recordings --address 10.0.0.1:6379   on a Ray cluster

A run that was stopped or killed goes on where it was. See docs/archive.md."""
_FIND_EXAMPLES = """examples:
  python -m app.main find ada.jpg
  python -m app.main find ada1.jpg ada2.jpg --since 2026-01-31 --until "2026-02-01 18:00" --camera door
  python -m app.main find ada.jpg --export found --json found.json
"""
_MOST_HITS = 10_000
_MODELS = tuple(name for name in flags.MODEL_FLAGS if name != "GALLERY_DIR")


def add_parsers(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    indexing = commands.add_parser(
        "index",
        help="search recordings for faces",
        description="Search recordings for faces, on all processors or on a cluster, so that find can tell where "
        "somebody was seen. Files that are known and have not changed are left out.",
        epilog=_INDEX_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    indexing.add_argument("places", metavar="PLACE", nargs="+", help="a folder, a video, or an address such as s3://…")
    indexing.add_argument("--camera", metavar="NAME", help="the camera of all of them; else their names tell it")
    indexing.add_argument(
        "--prune", action="store_true", help="first erase what is known of recordings that are not there any more"
    )
    indexing.add_argument("--address", metavar="HOST:PORT", help="of a Ray cluster; else this machine works alone")
    flags.add_flags(indexing, [*_MODELS, "FRAME_SIZE", "DETECT_EVERY"])
    _add(indexing, "--archive DIR", "ARCHIVE_DIR", "folder of the index")
    _add(indexing, "--workers N", "INDEX_WORKERS", "recordings that are watched at once; else one for each processor")
    indexing.set_defaults(command=index_command)
    finding = commands.add_parser(
        "find",
        help="where somebody was seen in recordings",
        description="Where somebody was seen in the recordings that were indexed: photographs of one person, which "
        "show one face each.",
        epilog=_FIND_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    finding.add_argument("photos", metavar="PHOTO", nargs="+", type=Path, help="a picture, or a folder of pictures")
    finding.add_argument("--since", metavar="TIME", help="2026-01-31, or with 12:00, or 2026-01-31T12:00:00Z")
    finding.add_argument("--until", metavar="TIME", help="the same; a day without a time is meant to its end")
    finding.add_argument("--camera", metavar="NAME", action="append", default=[], help="may be repeated")
    finding.add_argument("--limit", metavar="N", type=_limit, default=100, help="at most so many (default 100)")
    finding.add_argument("--json", metavar="OUT", type=Path, help="write what was found to this file; -: print it")
    finding.add_argument("--export", metavar="DIR", type=Path, help="write faces, a table and JSON to this folder")
    flags.add_flags(finding, _MODELS)
    _add(finding, "--archive DIR", "ARCHIVE_DIR", "folder of the index")
    _add(finding, "--false N", "FALSE_SIGHTINGS", "wrong sightings that a find may list on average (default 0.1)")
    finding.set_defaults(command=find_command)


def _add(to: argparse.ArgumentParser, flag: str, setting: str, text: str) -> None:
    """Flags of these commands alone; a run has nothing to do with archives."""
    name, _, metavar = flag.partition(" ")
    to.add_argument(name, dest=setting, metavar=metavar, help=f"{text} ({setting})")


def index_command(args: argparse.Namespace) -> int:
    """Exit code 1 when a recording, or a folder of recordings, could not be worked on."""
    extra.need_fleet("index")
    chosen = settings.read(flags.given(args))
    joining.authorise(ray_key(chosen, args.address))
    from app.archive import sources
    from app.archive.crew import Crew
    from app.archive.indexing import index, prune
    from app.archive.opening import eyes_of, shelf_of

    eyes = eyes_of(chosen)
    there = sources.find(args.places)
    shelf = shelf_of(chosen)
    began_s = time.monotonic()
    try:
        if args.prune:
            gone = prune(there, [sources.absolute(place) for place in args.places], shelf)
            print(f"{gone} recordings are gone; what was known of them is erased")
        with (
            Crew(eyes, address=args.address, workers=chosen.archive.workers) as crew,
            Bar(sys.stderr) as bar,
        ):
            for place, why in there.unread.items():
                bar.problem(f"{place}: {why}")
            tally = index(there.files, shelf, crew, bar, args.camera, looks=eyes.said)
    finally:
        shelf.close()
    took_h = (time.monotonic() - began_s) / 3600
    unread = f", {len(there.unread)} places could not be read" if there.unread else ""
    print(
        f"{tally.files} recordings: {tally.known} known before, {len(tally.failed)} could not be used{unread}; "
        f"{tally.sightings} new sightings in {tally.video_s / 3600:.2f} h of video "
        f"({tally.video_s / 3600 / took_h:.1f} h per hour)"
    )
    return 1 if tally.failed or there.unread else 0


def ray_key(chosen: Settings, address: str | None) -> str:
    """What Ray asks everybody for: the key of the cluster, or one for this run where this machine works alone."""
    if address is None:
        return secrets.token_urlsafe(32)
    return chosen.fleet.key or keys.brought(chosen.data_dir / "fleet", keys.CLUSTER)


def find_command(args: argparse.Namespace) -> int:
    """Exit code 1 when nobody was found."""
    from app.archive import exporting, finding
    from app.archive.opening import shelf_of

    prints_json = args.json is not None and str(args.json) == "-"
    if not prints_json:
        check_writable({"--json": args.json})
    chosen = settings.read(flags.given(args))
    wanted = finding.wanted(args.camera, args.since, args.until)
    shelf = shelf_of(chosen, make=False)
    try:
        faces = finding.photographed(chosen, args.photos, say=lambda text: print(text, file=sys.stderr))
        found = finding.find(shelf, faces, wanted, chosen, limit=args.limit)
    finally:
        shelf.close()
    if args.export is not None:
        exporting.export(found, args.export)
    if args.json is not None:
        exporting.write_json(found, None if prints_json else args.json)
    if not prints_json:
        print(exporting.told(found))
    return 0 if found.hits else 1


def _limit(text: str) -> int:
    try:
        return values.whole(1, _MOST_HITS)(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text} {error}") from error
