"""What a run of a fleet was worth: how long cameras were away, and whether the store has each event once."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

from pipeline.outlets.store import Store
from pipeline.outlets.stored import StoredEvent, Wanted, key_of, written
from testbench.fleet_run import FleetRun

LONGEST_S = 30.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """all_live_s       from the wish until the last camera was live
    killed           whether a node was
    moved            cameras that were on it
    noticed_s        from the kill until Ray counted the node no more
    back_s           from the kill until the last of the moved cameras was live again
    gap_s            the longest time without an event of a camera that was moved; of one that was not
    duplicates       events that are in the store twice, or that two runs of a camera tell of the same time
    missing          events in the files of the nodes that are alive, but not in the store
    lost_with_node   events in the file of the killed node that had not been told yet
    """

    nodes: int
    cameras: int
    all_live_s: float
    killed: bool
    moved: int
    noticed_s: float
    back_s: float
    gap_s: float
    gap_of_others_s: float
    events: int
    came_twice: int
    duplicates: int
    missing: int
    lost_with_node: int

    @property
    def clean(self) -> bool:
        """A node whose death moves no camera says nothing of how they come back."""
        is_tried = self.moved > 0 or not self.killed
        is_whole = not (self.duplicates or self.missing)
        return is_tried and is_whole and max(self.back_s, self.gap_s, self.gap_of_others_s) <= LONGEST_S


def judged(run: FleetRun) -> Verdict:
    store = Store(run.nodes.data_dir(0) / "fleet" / "events")
    stored = list(store.all(Wanted(kind=None)))
    keys = {event.key for event in stored}
    gaps = gaps_s(stored, run.cameras, written(run.began_at), written(run.ended_at))
    alive = [number for number in range(run.shape.nodes) if number != run.killed]
    return Verdict(
        nodes=run.shape.nodes,
        cameras=run.shape.cameras,
        all_live_s=round(run.begun_s, 2),
        killed=run.killed is not None,
        moved=len(run.moved),
        noticed_s=round(run.noticed_s, 2),
        back_s=round(max(run.back_s.values(), default=0.0), 2),
        gap_s=round(max((gap for camera, gap in gaps.items() if camera in run.moved), default=0.0), 2),
        gap_of_others_s=round(max((gap for camera, gap in gaps.items() if camera not in run.moved), default=0.0), 2),
        events=len(stored),
        came_twice=run.stored.get("again", 0),
        duplicates=duplicates(stored),
        missing=sum(len(uids(run.nodes.data_dir(number)) - keys) for number in alive),
        lost_with_node=0 if run.killed is None else len(uids(run.nodes.data_dir(run.killed)) - keys),
    )


def gaps_s(stored: Iterable[StoredEvent], cameras: Iterable[str], since: str, until: str) -> dict[str, float]:
    """Of each of these cameras: the longest time without a face, the ends included."""
    moments: dict[str, list[str]] = {camera: [] for camera in cameras}
    for event in stored:
        if event.body["type"] == "identity" and event.body["camera"] in moments:
            moments[event.body["camera"]].append(event.body["t"])
    found = {}
    for camera, all_of_it in moments.items():
        times = [_seconds(t) for t in sorted([since, until, *(t for t in all_of_it if since <= t <= until)])]
        found[camera] = max(after - before for before, after in pairwise(times))
    return found


def duplicates(stored: Iterable[StoredEvent]) -> int:
    """Two of one frame and track of a run; and of a run that goes on after a newer one of its camera has begun."""
    seen: set[tuple[object, ...]] = set()
    twice = 0
    first: defaultdict[str, dict[str, str]] = defaultdict(dict)
    faces = [event.body for event in stored if event.body["type"] == "identity"]
    for body in faces:
        one = (body["run"], body["camera"], body["frame"], body["track"])
        twice += one in seen
        seen.add(one)
        runs = first[body["camera"]]
        runs[body["run"]] = min(runs.get(body["run"], body["t"]), body["t"])
    return twice + sum(
        any(run > body["run"] and began <= body["t"] for run, began in first[body["camera"]].items()) for body in faces
    )


def uids(data_dir: Path) -> set[str]:
    """Of all events that the cameras of a node have written."""
    found = set()
    for log in (data_dir / "fleet" / "cameras").glob("*/events*.jsonl"):
        for line in log.read_bytes().split(b"\n"):
            event = _parsed(line)
            if event is not None:
                found.add(f"{event['run']}/{key_of(event, line)}")
    return found


def _parsed(line: bytes) -> dict[str, Any] | None:
    """None for the half line of a run that was killed."""
    try:
        found: dict[str, Any] = json.loads(line)
    except ValueError:
        return None
    return found


def _seconds(t: str) -> float:
    return datetime.fromisoformat(t.replace("Z", "+00:00")).timestamp()
