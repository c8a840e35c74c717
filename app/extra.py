"""What is not installed on one machine: the extra [fleet], asked for before anything of it is imported."""

from __future__ import annotations

from importlib.util import find_spec

from checkpoints.errors import SettingsError

_FLEET = ("ray", "pyarrow", "pandas")


def need_fleet(command: str) -> None:
    """SettingsError, in one sentence what to install, when `command` cannot work here."""
    missing = [name for name in _FLEET if find_spec(name) is None]
    if missing:
        raise SettingsError(
            f"{command} needs the extra fleet, which pip install -e '.[fleet]' brings.",
            saw=f"not installed: {', '.join(missing)}",
        )
