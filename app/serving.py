"""Whether a run has a console, and whether it may be reached from where it would be."""

from __future__ import annotations

from app import addresses
from app.settings import Settings
from checkpoints.errors import SettingsError
from pipeline.wiring import SideRow

NAME = "console"


def is_wanted(chosen: Settings) -> bool:
    mode = chosen.output.display
    return mode == "web" or (mode == "auto" and not chosen.screen)


def sides(chosen: Settings) -> tuple[SideRow, ...]:
    """The console's process; it alone loads a web server. SettingsError for one that is open to the network."""
    if not is_wanted(chosen):
        return ()
    console = chosen.console
    has_key = any((console.password, console.viewer_password, console.token, console.viewer_token))
    if not has_key and not addresses.is_loopback(console.host):
        raise SettingsError(
            "The console would be open to everybody in the network.",
            saw=f"CONSOLE_HOST={console.host}, without a password or token",
            fix="set CONSOLE_PASSWORD (for people) or CONSOLE_TOKEN (for programs) in .env, or keep --host 127.0.0.1 "
            "and reach it through a tunnel: ssh -L 8080:127.0.0.1:8080 HOST",
        )
    return (SideRow(NAME, "app.console.server", chosen),)
