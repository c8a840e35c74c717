"""The cameras of a fleet: a file of cameras as for one machine (`app.camera_list`), in which each has a name."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

from app import camera_list
from app.logins import Logins
from checkpoints.errors import SettingsError
from pipeline.config import CameraConfig

_OWN = ("name", "source", "site")


@dataclass(frozen=True, slots=True)
class FleetCamera:
    """source  with its login
    site    where its machine should stand; None: anywhere
    more    what else its table says, as JSON: it travels between machines
    """

    name: str
    source: str = field(repr=False)
    site: str | None = None
    more: str = "{}"

    def config(self) -> CameraConfig:
        return camera_list.of_table({"name": self.name, "source": self.source, **json.loads(self.more)})


def read(path: Path, logins: Logins) -> tuple[FleetCamera, ...]:
    """SettingsError tells what is wrong with the file, or which login is missing."""
    found = camera_list.listed(path)
    nameless = [f"camera {number}" for number, one in enumerate(found, 1) if "name" not in one.table]
    if nameless:
        raise SettingsError(
            "Cameras of a fleet have names.", saw=f"{path}: {', '.join(nameless)} without", fix='write name = "…"'
        )
    logins.check(one.camera.name for one in found)
    return tuple(
        FleetCamera(
            name=one.camera.name,
            source=logins.filled(one.camera.source, one.camera.name),
            site=one.site,
            more=json.dumps({key: value for key, value in one.table.items() if key not in _OWN}),
        )
        for one in found
    )
