"""Taking a person out of a file of events, while others may be writing to it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from checkpoints.errors import OutputError
from pipeline.events import line_of
from pipeline.lines import rewrite

Track = tuple[int, str, int]  # which run of the file, camera, track


def erase_events(path: Path, name: str) -> int:
    """Return how many events of this person were erased; what other events say about the name goes, too.

    To a person's events belong those that told the name, and those of the same faces that had no name yet.
    """
    erased = 0

    def chosen(lines: Iterable[bytes]) -> Iterator[bytes]:
        nonlocal erased
        tracks = {track for run, event in _events(lines, name) if (track := _track_named(run, event, name))}
        run = 0
        for line in lines:
            run += _is_end(line)
            if not (_mentions(line, name) or (tracks and b'"identity"' in line)):
                yield line
                continue
            event = _parsed(line)
            if event.get("type") == "identity" and _is_of(run, event, name, tracks):
                erased += 1
            else:
                yield line_of(_without(event, name)) if _mentions(line, name) and event else line

    if not path.is_file():
        return 0
    try:
        rewrite(path, chosen)
    except OSError as error:
        raise OutputError(
            "The events of this person cannot be erased.",
            saw=f"{path}: {error.strerror}",
            fix="see that the file may be written and there is room on the disk; then delete again",
        ) from error
    return erased


def _events(lines: Iterable[bytes], name: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """The events that mention the name, with the number of the run that they are of."""
    run = 0
    for line in lines:
        run += _is_end(line)
        if _mentions(line, name):
            yield run, _parsed(line)


def _track_named(run: int, event: dict[str, Any], name: str) -> Track | None:
    if event.get("type") == "identity" and event.get("name") == name:
        return run, str(event.get("camera")), int(event.get("track", -1))
    return None


def _is_of(run: int, event: dict[str, Any], name: str, tracks: set[Track]) -> bool:
    if event.get("name") == name:
        return True
    return event.get("name") is None and (run, event.get("camera"), event.get("track")) in tracks


def _without(event: dict[str, Any], name: str) -> dict[str, Any]:
    """An event of somebody else, of whom this person was the runner-up or a near one."""
    why = event.get("why")
    if not isinstance(why, dict):
        return event
    shots = [{**shot, "nearest": [one for one in shot["nearest"] if one[0] != name]} for shot in why.get("shots", ())]
    runner_up = None if why.get("runner_up") == name else why.get("runner_up")
    return {**event, "why": {**why, "runner_up": runner_up, "shots": shots}}


def _mentions(line: bytes, name: str) -> bool:
    """As this program writes names, and as programs that write ASCII only would."""
    return json.dumps(name, ensure_ascii=False).encode() in line or json.dumps(name).encode() in line


def _is_end(line: bytes) -> bool:
    return line.startswith(b'{"type": "end"')


def _parsed(line: bytes) -> dict[str, Any]:
    try:
        event = json.loads(line)
    except ValueError:
        return {}
    return event if isinstance(event, dict) else {}
