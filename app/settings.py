"""From the environment, the file .env and flags to checked settings. The only reader of the environment.

    python -m app.settings > .env.example

A flag wins over the environment, the environment over the file .env beside run.sh. An empty value counts as none.
"""

from __future__ import annotations

import os
import re
import sys
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import Field, dataclass, fields
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from dotenv import dotenv_values

from app import cameras, values
from app.about import About
from app.archive_section import ArchiveSettings
from app.camera_section import CAMERAS_FILE, NAME, CameraSettings
from app.console_section import ConsoleSettings
from app.fleet_section import FleetSettings
from app.gallery_section import GallerySettings
from app.logins import OF_ONE_CAMERA, Logins
from app.outlet_section import OutletSettings
from app.secrecy_section import SecrecySettings
from app.sections import (
    SOURCE,
    ModelSettings,
    OutputSettings,
    SourceSettings,
    StorageSettings,
    SuperviseSettings,
)
from app.service.notify import ServiceManager, manager_of
from app.upkeep_section import UpkeepSettings
from checkpoints.errors import SettingsError

ROOT = Path(__file__).resolve().parent.parent
_FURTHER_SOURCE = re.compile(rf"{SOURCE}_([2-9]|[1-9]\d+)")
_OF_SOME_CAMERA = re.compile(rf"(?:{SOURCE}|{NAME})_(?:[2-9]|[1-9]\d+)|{OF_ONE_CAMERA.pattern}")
_NOTHING: Mapping[str, str | None] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Settings:
    """logins   of cameras
    screen   whether there is one that a window could open on
    manager  who started this program as a service
    """

    source: SourceSettings = SourceSettings()
    cameras: CameraSettings = CameraSettings()
    models: ModelSettings = ModelSettings()
    gallery: GallerySettings = GallerySettings()
    output: OutputSettings = OutputSettings()
    console: ConsoleSettings = ConsoleSettings()
    outlets: OutletSettings = OutletSettings()
    supervise: SuperviseSettings = SuperviseSettings()
    upkeep: UpkeepSettings = UpkeepSettings()
    archive: ArchiveSettings = ArchiveSettings()
    storage: StorageSettings = StorageSettings()
    secrecy: SecrecySettings = SecrecySettings()
    fleet: FleetSettings = FleetSettings()
    logins: Logins = Logins()
    screen: bool = False
    manager: ServiceManager = ServiceManager()

    @property
    def data_dir(self) -> Path:
        return ROOT / self.storage.data_dir

    @property
    def archive_dir(self) -> Path:
        return self.archive.path or self.data_dir / "archive"

    @property
    def gallery_dir(self) -> Path:
        return self.gallery.path or self.data_dir / "gallery"


SECTIONS: tuple[tuple[str, type], ...] = (
    ("source", SourceSettings),
    ("cameras", CameraSettings),
    ("models", ModelSettings),
    ("gallery", GallerySettings),
    ("output", OutputSettings),
    ("console", ConsoleSettings),
    ("outlets", OutletSettings),
    ("supervise", SuperviseSettings),
    ("upkeep", UpkeepSettings),
    ("archive", ArchiveSettings),
    ("storage", StorageSettings),
    ("secrecy", SecrecySettings),
    ("fleet", FleetSettings),
)


class Given(NamedTuple):
    """One text that somebody wrote. layer 0: a flag, 1: the environment, 2: the file .env"""

    layer: int
    name: str
    text: str
    secret: bool = False

    def problem(self, message: str) -> str:
        between = " " if self.name.startswith("-") else "="
        return f"{self.name}{between}{'…' if self.secret else cameras.shown(self.text)} {message}"


def read(flags: Mapping[str, str] = MappingProxyType({})) -> Settings:
    """The settings of this process; `flags` has the first name of a setting as key (see `app.flags.given`)."""
    return load(os.environ, _dotenv(), flags)


def texts(flags: Mapping[str, str] = MappingProxyType({})) -> dict[str, str]:
    """What somebody has set, as they wrote it, by the first name of each setting: for a run on another machine."""
    layers: list[Mapping[str, Any]] = [flags, os.environ, _dotenv()]
    found = {about.names[0]: _find(about, layers, []) for _, _, about in catalogue()}
    return {name: given[0].text for name, given in found.items() if given}


def load(
    environ: Mapping[str, str],
    dotenv: Mapping[str, str | None] = _NOTHING,
    flags: Mapping[str, str] = MappingProxyType({}),
) -> Settings:
    """Settings from texts alone; SettingsError tells everything that is wrong with them at once."""
    layers = [flags, environ, dotenv]
    problems = [*_unknown(environ, dotenv)]
    given: dict[str, list[Given]] = {}
    for _, _, about in catalogue():
        given[about.names[0]] = _find(about, layers, problems)
    _settle_pace(given, problems)
    _settle_cameras(given, layers, problems)
    sections: dict[str, Any] = {name: {} for name, _ in SECTIONS}
    for section, item, about in catalogue():
        found = [_parse(one, about, problems) for one in given[about.names[0]]]
        if found:
            sections[section][item.name] = tuple(found) if about.names[0] in (SOURCE, NAME) else found[0]
    if problems:
        raise SettingsError("The settings cannot be used.", saw="\n".join(problems), fix="see .env.example and --help")
    made = {name: kind(**sections[name]) for name, kind in SECTIONS}
    return Settings(
        **made,
        logins=Logins.read(environ, dotenv),
        screen=_has_screen(environ),
        manager=manager_of(environ, os.getpid()),
    )


def _dotenv() -> Mapping[str, str | None]:
    path = ROOT / ".env"
    try:
        return dotenv_values(path, interpolate=False) if path.is_file() else {}
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError("The file .env cannot be read.", saw=f"{path}: {error}", fix="see .env.example") from error


def catalogue() -> Iterator[tuple[str, Field[Any], About]]:
    """Every setting: the name of its section, its field, what is known about it."""
    for name, kind in SECTIONS:
        for item in fields(kind):
            yield name, item, item.metadata["about"]


def example() -> str:
    """The text of .env.example."""
    lines = [
        "# Settings of Facewire. Copy this file to .env and take the # away from what you change.",
        "# The environment wins over .env, a flag of `python -m app.main` wins over both.",
    ]
    for _, kind in SECTIONS:
        lines += ["", f"# ---- {kind.__doc__} ----"]
        for item in fields(kind):
            about: About = item.metadata["about"]
            lines.append("")
            lines += [f"# {line}" for line in textwrap.wrap(about.help + ".", 100)]
            notes = [f"also {', '.join(about.names[1:])}"] if about.names[1:] else []
            notes += [f"flag {about.flag}"] if about.flag else []
            lines += [f"# ({'; '.join(notes)})"] if notes else []
            lines.append(f"#{about.names[0]}={written_default(item)}")
    return "\n".join(lines) + "\n"


def written_default(item: Field[Any]) -> str:
    default: object = item.default
    return (
        ",".join(default)
        if item.name in ("sources", "names") and isinstance(default, tuple)
        else values.written(default)
    )


def _find(about: About, layers: list[Mapping[str, Any]], problems: list[str]) -> list[Given]:
    """What the uppermost layer that has this setting says: one text, or one for each source."""
    several = about.names[0] == SOURCE
    for layer, texts in enumerate(layers):
        written = {name: texts.get(name) for name in (_source_names(texts) if several else about.names)}
        found = [Given(layer, name, text, about.secret) for name, text in written.items() if text]
        if layer == 0 and about.flag:
            found = [one._replace(name=about.flag) for one in found]
        if not several and len({one.text for one in found}) > 1:
            problems.append(f"{' and '.join(f'{one.name}={one.text}' for one in found)} mean the same; set one of them")
        if found:
            return found if several else found[:1]
    return []


def _source_names(texts: Mapping[str, Any]) -> list[str]:
    further = [name for name in texts if _FURTHER_SOURCE.fullmatch(name)]
    return [SOURCE, *sorted(further, key=lambda name: int(name.rpartition("_")[2]))]


def _settle_pace(given: dict[str, list[Given]], problems: list[str]) -> None:
    """FPS_TARGET and LOSSLESS=true exclude each other: the one given further up wins."""
    rate, lossless = given["FPS_TARGET"], given["LOSSLESS"]
    if not rate or not lossless or lossless[0].text.lower() in values.NO:
        return
    if rate[0].layer == lossless[0].layer:
        problems.append(f"{rate[0].name} and {lossless[0].name} exclude each other; set one of them")
    elif rate[0].layer < lossless[0].layer:
        lossless.clear()
    else:
        rate.clear()


def _settle_cameras(given: dict[str, list[Given]], layers: list[Mapping[str, Any]], problems: list[str]) -> None:
    """VIDEO_SOURCE and CAMERAS_FILE exclude each other: the one given further up wins. Names are their sources' own."""
    sources, file = given[SOURCE], given[CAMERAS_FILE]
    if sources and file and sources[0].layer == file[0].layer:
        problems.append(f"{sources[0].name} and {file[0].name} exclude each other; set one of them")
    elif sources and file:
        (file if sources[0].layer < file[0].layer else sources).clear()
    if not sources:
        return
    texts = layers[sources[0].layer]
    names = [(name, texts.get(name) or "") for name in (one.name.replace(SOURCE, NAME) for one in sources)]
    given[NAME] = [Given(sources[0].layer, name, text) for name, text in names] if any(t for _, t in names) else []


def _parse(given: Given, about: About, problems: list[str]) -> object:
    if about.names[0] == NAME and not given.text:
        return ""
    try:
        return about.parse(given.text.strip())
    except ValueError as error:
        problems.append(given.problem(str(error)))
        return None


def _unknown(environ: Mapping[str, str], dotenv: Mapping[str, str | None]) -> Iterator[str]:
    """Names that are not ours: all of those in .env, but of the environment only what looks like a slip of ours."""
    ours = {name for _, _, about in catalogue() for name in about.names}
    for name in dotenv:
        if name not in ours and not _OF_SOME_CAMERA.fullmatch(name):
            yield f"{name} is not a setting{values.did_you_mean(name.upper(), sorted(ours))}"
    for name in environ:
        if name in ours or name in dotenv or _OF_SOME_CAMERA.fullmatch(name) or len(name) < 8 or "_" not in name:
            continue
        alike = [one for one in sorted(ours) if one[:2] == name[:2]]
        hint = values.did_you_mean(name, alike, likeness=0.9)
        if hint:
            yield f"{name} is not a setting{hint}"


def _has_screen(environ: Mapping[str, str]) -> bool:
    return sys.platform in ("win32", "darwin") or bool(environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY"))


if __name__ == "__main__":
    sys.stdout.write(example())
