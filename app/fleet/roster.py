"""The cameras of a fleet, as a file cameras.toml names them: one table [[camera]] for each.

[[camera]]
name = "door"
source = "rtsp://{user}:{password}@10.0.0.7/stream"
site = "hall"        # where its machine should stand (`fleet node --site hall`)
size = "640x360"
fps = 5
min_face = 30
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app import cameras, settings, values
from checkpoints.errors import SettingsError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

# Of one camera, what is a setting of its whole run: a run of a fleet has one camera.
_SETTINGS = {"size": "FRAME_SIZE", "fps": "FPS_TARGET", "min_face": "MIN_FACE", "loop": "LOOP"}
_KNOWN = ("name", "source", "site", *_SETTINGS)


@dataclass(frozen=True, slots=True)
class FleetCamera:
    """source    may have a password in it
    site      where its machine should stand; None: anywhere
    settings  of its run, as texts
    """

    name: str
    source: str = field(repr=False)
    site: str | None = None
    settings: tuple[tuple[str, str], ...] = ()


def read(path: Path) -> tuple[FleetCamera, ...]:
    """SettingsError tells everything that is wrong with the file at once."""
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError("The cameras cannot be read.", saw=f"{path}: {error}", fix="name a cameras.toml") from error
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(
            "The file of cameras is no TOML.", saw=f"{path}: {error}", fix="see docs/fleet.md"
        ) from error
    return of_tables(found.get("camera"), str(path))


def of_tables(tables: object, where: str) -> tuple[FleetCamera, ...]:
    if not isinstance(tables, list) or not tables or not all(isinstance(one, dict) for one in tables):
        raise SettingsError(
            "There is no camera.", saw=where, fix="write a table [[camera]] for each, see docs/fleet.md"
        )
    problems: list[str] = []
    made = [_camera(table, number, problems) for number, table in enumerate(tables, 1)]
    names = [one.name for one in made]
    problems += [f"two cameras are called {name}" for name in sorted({n for n in names if names.count(n) > 1})]
    if problems:
        raise SettingsError(
            "The cameras cannot be used.", saw="\n".join(problems), fix=f"see {where} and docs/fleet.md"
        )
    return tuple(made)


def _camera(table: Mapping[str, Any], number: int, problems: list[str]) -> FleetCamera:
    name = str(table.get("name", ""))
    where = f"camera {name or number}"
    if not name or not name.isprintable() or len(name) > 100:
        problems.append(f"{where}: its name is missing, or is no text of one line")
    problems += [f"{where}: {key} is not known{values.did_you_mean(key, _KNOWN)}" for key in table if key not in _KNOWN]
    source, site = str(table.get("source", "")), table.get("site")
    try:
        cameras.kind(source)
    except ValueError as error:
        problems.append(f"{where}: {cameras.shown(source)} {error}")
    if not source:
        problems.append(f"{where}: it has no source")
    if site is not None:
        problems += _site_problem(where, site)
    chosen = tuple((_SETTINGS[key], values.written(table[key])) for key in _SETTINGS if key in table)
    problems += [f"{where}: {text}" for text in _wrong(dict(chosen))]
    return FleetCamera(name, source, site, chosen)


def _site_problem(where: str, site: object) -> list[str]:
    try:
        values.word(str(site))
    except ValueError as error:
        return [f"{where}: site {site} {error}"]
    return []


def _wrong(chosen: Mapping[str, str]) -> list[str]:
    try:
        settings.load(chosen)
    except SettingsError as error:
        return (error.saw or error.what).splitlines()
    return []
