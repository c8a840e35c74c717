"""fleet forget NAME: what the cameras of a machine, and the fleet's store, keep of somebody is erased.

The gallery is the fleet's own and is asked first, with `gallery delete`: from then on no camera tells the name.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from app.erasing import seen_of
from app.fleet.one_camera import cameras_dir
from checkpoints.sealed import Seal
from pipeline.erasure import Seen, erase_events
from pipeline.gallery.sightings import Sightings
from pipeline.outlets.forgetting import forget


@dataclass(frozen=True, slots=True)
class Forgotten:
    """seen  where the person was, also before it had the name"""

    events: int = 0
    sightings: int = 0
    seen: tuple[Seen, ...] = ()


def forget_here(data_dir: Path, name: str, seal: Seal) -> Forgotten:
    """By all cameras that were ever on this machine, also while they run. What is cut short can be asked again."""
    return together(_forget(folder, name, seal) for folder in sorted(cameras_dir(data_dir).glob("*")))


def together(found: Iterable[Forgotten]) -> Forgotten:
    made = list(found)
    return Forgotten(
        sum(one.events for one in made),
        sum(one.sightings for one in made),
        tuple(seen for one in made for seen in one.seen),
    )


def _forget(folder: Path, name: str, seal: Seal) -> Forgotten:
    book = Sightings(folder / "gallery", seal)
    seen = tuple(seen_of(one) for one in book.of(name))
    told = erase_events(folder / "events.jsonl", name, seen)
    events = max(told, forget(folder / "events", name, seen))
    # The sightings last: they tell which events to erase, should this be cut short.
    return Forgotten(events, book.erase(lambda one: one.name == name), seen)
