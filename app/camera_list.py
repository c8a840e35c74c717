"""The cameras of a run: from VIDEO_SOURCE and its like, or from a file such as

[[camera]]
name = "door"
source = "rtsp://{user}:{password}@10.0.0.5/stream1"
size = "1280x720"                     # pictures are scaled to this
fps = 15                              # more pictures a second are not looked at
min_face = 60                         # pixels
zone = [0.0, 0.2, 1.0, 1.0]           # left, top, right, bottom, as shares of the picture; or [[x, y], …] corners
mask = [[0.0, 0.0, 0.3, 0.2]]         # areas that are blackened before anybody looks
transport = "udp"                     # of rtsp://; tcp if it is left out
format = "MJPG"                       # of a camera at this machine
site = "hall"                         # where its machine should stand; only a fleet of machines looks at it
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, get_args

from app import cameras, values
from app.settings import Settings
from checkpoints.errors import SettingsError
from pipeline.config import CameraConfig, Corners, Transport

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


@dataclass(frozen=True, slots=True)
class Listed:
    """One table of the file.

    site   None: anywhere
    table  as it was written
    """

    camera: CameraConfig
    site: str | None
    table: Mapping[str, Any] = field(repr=False)


def cameras_of(chosen: Settings) -> tuple[CameraConfig, ...]:
    """With their logins, under names that differ."""
    own = chosen.cameras
    if own.file is not None:
        found = read(own.file)
    else:
        found = cameras.cameras(chosen.source.sources, own.names)
        found = tuple(replace(one, transport=own.transport, pixel_format=own.pixel_format) for one in found)
    chosen.logins.check(one.name for one in found)
    return tuple(replace(one, source=chosen.logins.filled(one.source, one.name)) for one in found)


def read(path: Path) -> tuple[CameraConfig, ...]:
    return tuple(one.camera for one in listed(path))


def listed(path: Path) -> tuple[Listed, ...]:
    """SettingsError tells everything that is wrong with the file at once."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise SettingsError(
            "The file of cameras cannot be read.", saw=f"{path}: {error}", fix="see docs/cameras.md for an example"
        ) from error
    entries = content.pop("camera", [])
    problems = [f"{key} is not known; each camera begins with [[camera]]" for key in content]
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        problems, entries = ["camera is not a list of tables; write [[camera]] before each"], []
    found = [_listed(number, entry, problems) for number, entry in enumerate(entries, 1)]
    if not problems and not found:
        problems = ["there is no [[camera]] in it"]
    names = [one.camera.name for one in found]
    problems += [f"two cameras are called {name}" for name in sorted({name for name in names if names.count(name) > 1})]
    if problems:
        saw = "\n".join(f"{path}: {problem}" for problem in problems)
        raise SettingsError("The file of cameras cannot be used.", saw=saw, fix="see docs/cameras.md")
    return tuple(found)


def of_table(table: Mapping[str, Any]) -> CameraConfig:
    """Of a table that `listed` has read, perhaps on another machine."""
    problems: list[str] = []
    found = _listed(1, table, problems)
    if problems:
        raise SettingsError("The camera cannot be used.", saw="\n".join(problems), fix="see docs/cameras.md")
    return found.camera


def _listed(number: int, entry: Mapping[str, Any], problems: list[str]) -> Listed:
    label = f"camera {number}"
    if isinstance(entry.get("name"), str):
        label += f" ({entry['name']})"
    given: dict[str, Any] = {}
    for key, value in entry.items():
        if key not in _KEYS:
            problems.append(f"{label}: {key} is not known{values.did_you_mean(key, _KEYS)}")
            continue
        field, parse = _KEYS[key]
        try:
            given[field] = parse(value)
        except ValueError as error:
            problems.append(f"{label}: {key} {error}")
    if "source" not in entry:
        problems.append(f"{label}: it has no source")
    source = given.pop("source", "demo")
    site = given.pop("site", None)
    (plain,) = cameras.cameras([source], [given.pop("name", "")])
    return Listed(replace(plain, **given), site, entry)


def _text(parse: Callable[[str], object]) -> Callable[[object], object]:
    def of(value: object) -> object:
        if not isinstance(value, str):
            raise ValueError("is not a text in quotes")
        return parse(value)

    return of


def _number(parse: Callable[[str], object]) -> Callable[[object], object]:
    def of(value: object) -> object:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise ValueError("is not a number")
        return parse(str(value))

    return of


def _source(value: object) -> object:
    return cameras.source(str(value) if isinstance(value, int) and not isinstance(value, bool) else _plain(value))


def _plain(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("is neither a text in quotes nor a camera's number")
    return value


def _area(value: object) -> Corners:
    """[left, top, right, bottom] or [[x, y], …], as shares of the picture."""
    if isinstance(value, list) and len(value) == 4 and all(_is_share(part) for part in value):
        left, top, right, bottom = map(float, value)
        if left >= right or top >= bottom:
            raise ValueError("is empty; write left, top, right, bottom")
        return ((left, top), (right, top), (right, bottom), (left, bottom))
    if isinstance(value, list) and len(value) >= 3 and all(map(_is_corner, value)):
        return tuple((float(x), float(y)) for x, y in value)
    raise ValueError("is no area; write [left, top, right, bottom] or at least three corners [x, y], each from 0 to 1")


def _areas(value: object) -> tuple[Corners, ...]:
    if not isinstance(value, list):
        raise ValueError("is not a list of areas")
    return tuple(map(_area, value))


def _is_corner(value: object) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(map(_is_share, value))


def _is_share(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= 1


_KEYS: dict[str, tuple[str, Callable[[object], object]]] = {
    "name": ("name", _text(cameras.name)),
    "source": ("source", _source),
    "size": ("size_wh", _text(values.size)),
    "fps": ("fps", _number(values.number(0.1, 1000, "frames a second"))),
    "min_face": ("min_face_px", _number(values.whole(12, 1000))),
    "zone": ("zone", _area),
    "mask": ("masks", _areas),
    "transport": ("transport", _text(values.one_of(*get_args(Transport)))),
    "format": ("pixel_format", _text(cameras.pixel_format)),
    "site": ("site", _text(values.word)),
}
