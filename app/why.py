"""gallery why EVENT: the votes, the qualities, the nearest pictures and the runner-up behind a name that was told."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

from app import flags, outgoing, settings
from app.opened import add_json, print_json
from checkpoints import json_text
from checkpoints.errors import GalleryError, UserError
from pipeline.config import GalleryConfig
from pipeline.gallery.opening import gallery_exists, reopen_of
from pipeline.lines import WholeLines
from pipeline.parts import older_parts

Event = dict[str, Any]
_GONE = "a picture that is erased"


def add_verbs(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = verbs.add_parser(
        "why",
        help="why an event has its name",
        description="Why an event of the file of events has its name, or none.",
        epilog="examples: gallery why 0/1234/7 --events events.jsonl   gallery why 17 --events events.jsonl",
        allow_abbrev=False,
    )
    parser.add_argument("event", metavar="EVENT-ID|LINE", help='the "id" of the event, or the number of its line')
    add_json(parser)
    flags.add_flags(parser, [*flags.GALLERY_FLAGS, "EVENTS"])
    parser.set_defaults(command=why_command)


def why_command(args: argparse.Namespace) -> int:
    chosen = settings.read(flags.given(args))
    logs = outgoing.known_logs(chosen)
    if not logs:
        raise UserError("Nothing says where the events are.", saw=f"gallery why {args.event}", fix="add --events FILE")
    path = logs[0]
    event, explained = find(_events(path), args.event, path)
    config = flags.gallery_config(chosen)
    sources = _sources(explained, config) if gallery_exists(config.path) else {}
    if args.json:
        print_json({"event": event, "why": explained.get("why"), "of_event": explained.get("id"), "sources": sources})
    else:
        print("\n".join(in_words(event, explained, sources)))
    return 0


def find(events: Iterable[tuple[int, Event]], wanted: str, path: Path) -> tuple[Event, Event]:
    """The event, and the one before it, of the same face and run, in which the evidence was told.

    An id that several runs in one file have given means the last of them.
    """
    explained: dict[tuple[object, object], Event] = {}
    found: tuple[Event, Event] | None = None
    for line, event in events:
        kind = event.get("type")
        if kind == "end":
            explained = {}
        face = (event.get("camera"), event.get("track"))
        if "why" in event:
            explained[face] = event
        is_wanted = str(line) == wanted if wanted.isdigit() else event.get("id") == wanted
        if is_wanted:
            if kind != "identity":
                raise GalleryError(
                    "This event tells of no face.", saw=f'{path}, line {line}: "type": "{kind}"', fix="name another"
                )
            found = event, explained.get(face, {})
    if found is None:
        raise GalleryError(
            "There is no such event.",
            saw=f"{wanted} in {path}",
            fix='give the "id" of an identity event (camera/frame/track), or the number of its line',
        )
    return found


def in_words(event: Event, explained: Event, sources: dict[str, str]) -> list[str]:
    lines = [f"{event['id']}: {_verdict(event)}  (camera {event['camera']}, frame {event['frame']}, {event['t']})"]
    why = explained.get("why")
    if not why:
        return [*lines, "no evidence is told with this event: the face had no shot that was good enough yet"]
    lines += [_reason(event, why), ""]
    told = "" if explained["id"] == event["id"] else f", as told when it was decided ({explained['id']})"
    lines.append(f"the clearest shots{told}:")
    for shot in why["shots"]:
        near = ", ".join(
            f"{'a stranger' if name is None else name} {cosine:.2f} ({sources.get(picture, _GONE)})"
            for name, cosine, picture in shot["nearest"]
        )
        lines.append(f"  frame {shot['frame']:<7} quality {shot['quality']:.2f}   {near or 'nobody to compare with'}")
    return lines


def _verdict(event: Event) -> str:
    return str(event["name"]) if event["state"] == "known" else str(event["state"])


def _reason(event: Event, why: dict[str, Any]) -> str:
    score, margin = event["score"], event["margin"]
    votes = f"{event['votes']} {'vote' if event['votes'] == 1 else 'votes'}"
    needed = f"a name needs {why['threshold']:.2f}, and {why['margin']:.2f} more than the second"
    second = f"the runner-up is {why['runner_up']}" if why.get("runner_up") else "there is no runner-up with a name"
    figures = f"mean score {score:.2f}, {margin:.2f} ahead ({needed}); {second}"
    if event["state"] == "known":
        return f"{event['name']} has {votes}: {figures}"
    if why.get("stranger"):
        return f"most like somebody among the strangers, who are given no name: {figures}"
    if event["state"] == "unknown":
        return f"like nobody, by {votes}: {figures}"
    return f"not enough evidence, or it disagrees ({votes} for the best): {figures}"


def _events(path: Path) -> Iterable[tuple[int, Event]]:
    """With the numbers of their lines; events of the file's older parts come first, and have none."""
    older = older_parts(path)
    try:
        for part in [*older, path] if path.is_file() or not older else older:
            for number, line in enumerate(WholeLines(part), 1):
                try:
                    event = json_text.read(line)
                except ValueError:
                    continue
                if isinstance(event, dict):
                    yield number if part == path else -1, event
    except OSError as error:
        raise GalleryError(
            "The events cannot be read.", saw=f"{path}: {error.strerror}", fix="name the file with --events FILE"
        ) from error


def _sources(explained: Event, config: GalleryConfig) -> dict[str, str]:
    """Id → the file that the picture was, of the pictures that are still there."""
    shots = explained.get("why", {}).get("shots", ())
    ids = {picture: None for shot in shots for _, _, picture in shot["nearest"] if _is_id(picture)}
    gallery = reopen_of(replace(config, server=None))  # the local copy is enough to look names of files up
    try:
        return {kept.id: kept.picture.source or kept.id for kept in gallery.kept_of(list(ids))}
    finally:
        gallery.close()


def _is_id(text: object) -> bool:
    """Events are a file that people may have edited."""
    try:
        UUID(str(text))
    except ValueError:
        return False
    return True
