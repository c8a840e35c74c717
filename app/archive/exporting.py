"""What a find tells: a table to read, JSON for programs, and a folder with the faces to hand on."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

from app.archive.finding import Found
from app.archive.shelf import Hit
from app.opened import table
from checkpoints.errors import OutputError

_HEAD = ("from", "to", "camera", "cosine", "file", "at")


def told(found: Found) -> str:
    if not found.hits:
        return f"Nobody like that among {found.among} sightings (cosine {found.threshold:.2f} is needed)."
    rows = [
        (
            hit.sighting.first[:19].replace("T", " "),
            hit.sighting.last[:19].replace("T", " "),
            hit.sighting.camera,
            f"{hit.score:.2f}",
            hit.sighting.file,
            f"{_clock(hit.sighting.from_s)}-{_clock(hit.sighting.to_s)}",
        )
        for hit in found.hits
    ]
    cameras = len({hit.sighting.camera for hit in found.hits})
    last = f"{len(rows)} of {found.among} sightings, by {cameras} cameras; times are UTC"
    return f"{table(_HEAD, rows)}\n{last}"


def as_json(found: Found) -> dict[str, object]:
    return {
        "among": found.among,
        "threshold": found.threshold,
        "sightings": [_hit_as_json(number, hit) for number, hit in enumerate(found.hits, 1)],
    }


def write_json(found: Found, path: Path | None) -> None:
    """path None: to the terminal."""
    text = json.dumps(as_json(found), ensure_ascii=False, indent=2) + "\n"
    if path is None:
        sys.stdout.write(text)
    else:
        _write(path, text.encode())


def export(found: Found, folder: Path) -> None:
    """sightings.json, sightings.csv and a picture of each face, 0001.jpg being the most alike."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "sightings.csv").open("w", encoding="utf-8", newline="") as file:
            lines = csv.writer(file)
            said = [_hit_as_json(number, hit) for number, hit in enumerate(found.hits, 1)]
            lines.writerow(said[0] if said else ())
            lines.writerows(one.values() for one in said)
    except OSError as error:
        raise _unwritable(folder, error) from error
    write_json(found, folder / "sightings.json")
    for number, hit in enumerate(found.hits, 1):
        _write(folder / _picture(number), hit.sighting.cutout.jpeg)


def _hit_as_json(number: int, hit: Hit) -> dict[str, object]:
    seen = hit.sighting
    return {
        "id": seen.id,
        "camera": seen.camera,
        "from": seen.first,
        "to": seen.last,
        "file": seen.file,
        "from_s": seen.from_s,
        "to_s": seen.to_s,
        "best_s": seen.best_s,
        "box": list(seen.box),
        "cosine": round(hit.score, 4),
        "quality": seen.quality,
        "frames": seen.frames,
        "recording": seen.recording,
        "picture": _picture(number),
    }


def _picture(number: int) -> str:
    return f"{number:04}.jpg"


def _clock(seconds: float) -> str:
    whole = int(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"


def _write(path: Path, content: bytes) -> None:
    try:
        path.write_bytes(content)
    except OSError as error:
        raise _unwritable(path, error) from error


def _unwritable(path: Path, error: OSError) -> OutputError:
    return OutputError("What was found cannot be written.", saw=f"{path}: {error.strerror}", fix="give another place")
