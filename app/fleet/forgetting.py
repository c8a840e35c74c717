"""fleet forget NAME: what the cameras of a machine, and the fleet's store, keep of somebody is erased.

The gallery is the fleet's own and is asked first, with `gallery delete`: from then on no camera tells the name. A
machine that is away is told the checksum of the name when it comes back, and finds out by itself whose it is.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from app.erasing import seen_of
from app.fleet.barred import Barred, checksum, names_in
from app.fleet.one_camera import cameras_dir
from checkpoints import json_text
from checkpoints.errors import OutputError, UserError
from checkpoints.sealed import Seal
from pipeline.clock import utc_iso
from pipeline.erasure import Seen, erase_events
from pipeline.gallery.cutouts import sync_folder
from pipeline.gallery.sightings import Sightings
from pipeline.lines import WholeLines
from pipeline.outlets.forgetting import forget
from pipeline.outlets.store import Store
from pipeline.parts import all_parts


@dataclass(frozen=True, slots=True)
class Forgotten:
    """seen    where the person was, also before it had the name
    missed  machines and cameras that may still know the person, and why
    """

    events: int = 0
    sightings: int = 0
    seen: tuple[Seen, ...] = ()
    missed: tuple[str, ...] = ()


def forget_here(data_dir: Path, name: str, seal: Seal) -> Forgotten:
    """By all cameras that were ever on this machine, also while they run. What is cut short can be asked again."""
    return together(_tried(folder, name, seal) for folder in _folders(data_dir))


def forget_barred(data_dir: Path, barred: Sequence[Barred], seal: Seal) -> Forgotten:
    """What was to be forgotten while this machine was away, or was still told while it was being forgotten."""
    path = data_dir / "fleet" / "forgotten.json"
    done = _done(path)
    left = {one.sha256 for one in barred if done.get(one.sha256, "") < one.until}
    if not left:
        return Forgotten()
    names: set[str] = set()
    unread: list[str] = []
    for folder in _folders(data_dir):
        try:
            names |= {name for name in _names(folder, seal) if checksum(name) in left}
        except (UserError, sqlite3.Error, OSError) as error:
            unread.append(f"{folder.name}: {error}")
    found = together([Forgotten(missed=tuple(unread)), *(forget_here(data_dir, name, seal) for name in sorted(names))])
    if not found.missed:
        now = utc_iso()
        _write(path, {one.sha256: one.until for one in barred if one.sha256 not in left or one.until < now})
    return found


def together(found: Iterable[Forgotten]) -> Forgotten:
    made = list(found)
    return Forgotten(
        sum(one.events for one in made),
        sum(one.sightings for one in made),
        tuple(seen for one in made for seen in one.seen),
        tuple(missed for one in made for missed in one.missed),
    )


def at_machine(found: Forgotten, address: str) -> Forgotten:
    """What was missed is told with the machine."""
    return replace(found, missed=tuple(f"{address}: {missed}" for missed in found.missed))


def _folders(data_dir: Path) -> list[Path]:
    return sorted(cameras_dir(data_dir).glob("*"))


def _tried(folder: Path, name: str, seal: Seal) -> Forgotten:
    try:
        return _forget(folder, name, seal)
    except (UserError, sqlite3.Error, OSError) as error:
        return Forgotten(missed=(f"{folder.name}: {error}",))


def _forget(folder: Path, name: str, seal: Seal) -> Forgotten:
    book = Sightings(folder / "gallery", seal)
    seen = tuple(seen_of(one) for one in book.of(name))
    told = erase_events(folder / "events.jsonl", name, seen)
    events = max(told, forget(folder / "events", name, seen))
    # The sightings last: they tell which events to erase, should this be cut short.
    return Forgotten(events, book.erase(lambda one: one.name == name), seen)


def _names(folder: Path, seal: Seal) -> Iterator[str]:
    """All that are told of anywhere, also of those whom somebody was compared with."""
    yield from (one.name for one in Sightings(folder / "gallery", seal).all() if one.name is not None)
    if (folder / "events" / "events.sqlite").exists():
        yield from Store(folder / "events").people()
    for part in all_parts(folder / "events.jsonl"):
        for line in WholeLines(part) if part.is_file() else ():
            yield from _names_in_line(line)


def _names_in_line(line: bytes) -> Iterator[str]:
    try:
        event = json_text.read(line)
    except ValueError:
        return
    if isinstance(event, dict):
        yield from names_in(event)


def _done(path: Path) -> dict[str, str]:
    """Checksum → until when. A file that cannot be read says nothing: all is looked for once more."""
    try:
        said = json_text.read(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {str(one): str(until) for one, until in said.items()} if isinstance(said, dict) else {}


def _write(path: Path, done: dict[str, str]) -> None:
    making = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with making.open("w", encoding="utf-8") as file:
            json.dump(done, file)
            file.flush()
            os.fsync(file.fileno())
        making.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        raise OutputError(
            "What this machine has forgotten cannot be noted.", saw=f"{path}: {error.strerror}", fix="make room"
        ) from error
