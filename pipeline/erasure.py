"""Taking a person out of a file of events, while others may be writing to it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from checkpoints import json_text
from checkpoints.errors import OutputError
from pipeline.event_log import line_of
from pipeline.lines import WholeLines, rewrite
from pipeline.parts import all_parts, sweep_parts

Track = tuple[int, str, int]  # which run of the file, camera, track


@dataclass(frozen=True, slots=True)
class Seen:
    """A face of the person that had no name then. first, last: as events tell times"""

    camera: str
    track: int
    first: str
    last: str

    def shows(self, event: dict[str, Any]) -> bool:
        place = event.get("type"), event.get("camera"), event.get("track")
        return place == ("identity", self.camera, self.track) and self.first <= str(event.get("t")) <= self.last


def erase_events(path: Path, name: str, seen: Sequence[Seen] = ()) -> int:
    """Return how many events of this person were erased; what other events say about the name goes, too.

    To a person's events belong those that told the name, those of the same faces that had no name yet, and those of
    faces that were `seen` before there was a name for them. The older parts of the file are looked through as well.
    """
    try:
        return _erase(path, name, seen)
    except OSError as error:
        raise OutputError(
            "The events of this person cannot be erased.",
            saw=f"{path}: {error.strerror}",
            fix="see that the file may be written and there is room on the disk; then delete again",
        ) from error


def _erase(path: Path, name: str, seen: Sequence[Seen]) -> int:
    erased = 0
    tracks: set[Track] = set()
    surveyed: dict[Path, int] = {}
    done: set[Path] = set()
    # The file may become an older part meanwhile: that one is new then, and comes after the file itself.
    while left := [part for part in all_parts(path) if part not in done]:
        if list(surveyed) != all_parts(path):
            surveyed, found = _survey(path, name, seen)
            tracks |= found
        if left[0].is_file():
            erased += _erase_from(left[0], name, tracks, surveyed.get(left[0], 0))
        done.add(left[0])
    sweep_parts(path)
    return erased


def _survey(path: Path, name: str, seen: Sequence[Seen]) -> tuple[dict[Path, int], set[Track]]:
    """With which run each part begins, and the faces that had the name or were seen."""
    starts: dict[Path, int] = {}
    tracks: set[Track] = set()
    run = 0
    for part in all_parts(path):
        starts[part] = run
        for line in WholeLines(part) if part.is_file() else ():
            run += _is_end(line)
            if _mentions(line, name) or (seen and b'"identity"' in line):
                tracks |= _track_of(run, _parsed(line), name, seen)
    return starts, tracks


def _erase_from(part: Path, name: str, tracks: set[Track], first_run: int) -> int:
    erased = 0

    def chosen(lines: Iterable[bytes]) -> Iterator[bytes]:
        nonlocal erased
        run = first_run
        for line in lines:
            run += _is_end(line)
            if not (_mentions(line, name) or (tracks and b'"identity"' in line)):
                yield line
                continue
            event = _parsed(line)
            if event.get("type") == "identity" and _is_of(run, event, name, tracks):
                erased += 1
            else:
                yield line_of(without(event, name)) if _mentions(line, name) and event else line

    rewrite(part, chosen)
    return erased


def _track_of(run: int, event: dict[str, Any], name: str, seen: Sequence[Seen]) -> set[Track]:
    """Empty for what is not of this person."""
    is_named = event.get("type") == "identity" and event.get("name") == name
    if not is_named and not any(one.shows(event) for one in seen):
        return set()
    return {_track(run, event)}


def _track(run: int, event: dict[str, Any]) -> Track:
    track = event.get("track")
    return run, str(event.get("camera")), track if isinstance(track, int) else -1


def _is_of(run: int, event: dict[str, Any], name: str, tracks: set[Track]) -> bool:
    if event.get("name") == name:
        return True
    return event.get("name") is None and _track(run, event) in tracks


def without(event: dict[str, Any], name: str) -> dict[str, Any]:
    """An event of somebody else, of whom this person was the runner-up or a near one."""
    why = event.get("why")
    if not isinstance(why, dict):
        return event
    told = why.get("shots", [])
    if not _are_shots(told):  # nobody here writes such; better no explanation than a name that stays in it
        return {key: value for key, value in event.items() if key != "why"}
    shots = [{**shot, "nearest": [one for one in shot["nearest"] if one[0] != name]} for shot in told]
    runner_up = None if why.get("runner_up") == name else why.get("runner_up")
    return {**event, "why": {**why, "runner_up": runner_up, "shots": shots}}


def _are_shots(told: object) -> bool:
    return isinstance(told, list) and all(
        isinstance(shot, dict)
        and isinstance(shot.get("nearest"), list)
        and all(isinstance(one, list) and one for one in shot["nearest"])
        for shot in told
    )


def _mentions(line: bytes, name: str) -> bool:
    """As this program writes names, and as programs that write ASCII only would."""
    return json.dumps(name, ensure_ascii=False).encode() in line or json.dumps(name).encode() in line


def _is_end(line: bytes) -> bool:
    return line.startswith(b'{"type": "end"')


def _parsed(line: bytes) -> dict[str, Any]:
    try:
        event = json_text.read(line)
    except ValueError:
        return {}
    return event if isinstance(event, dict) else {}
