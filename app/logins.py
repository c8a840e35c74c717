"""Users and passwords of cameras, kept apart from their addresses: {user} and {password} stand for them there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from checkpoints.errors import SettingsError

OF_ONE_CAMERA = re.compile(r"CAMERA_(USER|PASSWORD)_([A-Z0-9_]+)")
_PLACEHOLDER = re.compile(r"\{(user|password)\}")


@dataclass(frozen=True, slots=True)
class Logins:
    """texts  CAMERA_USER, CAMERA_PASSWORD_DOOR, … → what was written"""

    texts: Mapping[str, str] = field(default_factory=dict, repr=False)

    @classmethod
    def read(cls, *layers: Mapping[str, str | None]) -> Logins:
        """The first layer that has a name wins."""
        found: dict[str, str] = {}
        for layer in reversed(layers):
            for name, text in layer.items():
                if text and (name in ("CAMERA_USER", "CAMERA_PASSWORD") or OF_ONE_CAMERA.fullmatch(name)):
                    found[name] = text
        return cls(found)

    def filled(self, source: str, camera: str) -> str:
        """The address with its login, percent-encoded, so that a password may hold any sign."""

        def fill(found: re.Match[str]) -> str:
            general = f"CAMERA_{found[1].upper()}"
            own = f"{general}_{variable_part(camera)}"
            text = self.texts.get(own) or self.texts.get(general)
            if text is None:
                raise SettingsError(
                    "The login of a camera is not set.",
                    saw=f"{found[0]} in the address of camera {camera}",
                    fix=f"set {own}, or {general} for all cameras, in the environment or in .env",
                )
            return quote(text, safe="")

        return _PLACEHOLDER.sub(fill, source)

    def check(self, cameras: Iterable[str]) -> None:
        """Refuses the login of a camera that there is not."""
        known = {variable_part(camera): camera for camera in cameras}
        names = [name for name in self.texts if (found := OF_ONE_CAMERA.fullmatch(name)) and found[2] not in known]
        if names:
            raise SettingsError(
                "The login of a camera that there is not.",
                saw="\n".join(sorted(names)),
                fix=f"end it with one of {', '.join(sorted(known))}",
            )


def variable_part(camera: str) -> str:
    """A camera's name as it ends the name of a variable: front door → FRONT_DOOR."""
    return re.sub(r"[^A-Z0-9]", "_", camera.upper())
