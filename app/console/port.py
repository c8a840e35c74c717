"""The address that the console listens at; when it is taken, by whom."""

from __future__ import annotations

import errno
import socket
from contextlib import suppress
from pathlib import Path

from checkpoints.errors import OutputError

_LISTEN = "0A"


def listening(host: str, port: int) -> socket.socket:
    """Raises OutputError that names who has the port, as far as the system tells."""
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        made = socket.socket(family, kind, protocol)
    except OSError as error:
        raise _unusable(host, port, error) from error
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(place)
        made.listen(128)
    except OSError as error:
        made.close()
        if error.errno == errno.EADDRINUSE:
            raise _taken(host, port) from error
        raise _unusable(host, port, error) from error
    return made


def user_of(port: int) -> str:
    """The process that listens at this port; empty when the system does not tell."""
    sockets = {f"socket:[{inode}]" for inode in _listening_inodes(port)}
    for folder in Path("/proc").glob("[0-9]*") if sockets else ():
        if _holds(folder, sockets):
            return f"process {folder.name} ({_command(folder)[:100]})"
    return ""


def _holds(process: Path, sockets: set[str]) -> bool:
    """False for somebody else's process, which may not be looked into."""
    with suppress(OSError):
        for entry in (process / "fd").iterdir():
            with suppress(OSError):  # it was closed meanwhile
                if str(entry.readlink()) in sockets:
                    return True
    return False


def _command(process: Path) -> str:
    try:
        return (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return "just ended"


def _listening_inodes(port: int) -> set[str]:
    found = set()
    for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")):
        try:
            lines = table.read_text().splitlines()[1:]
        except OSError:
            continue
        for fields in map(str.split, lines):
            if fields[3] == _LISTEN and int(fields[1].rpartition(":")[2], 16) == port:
                found.add(fields[9])
    return found


def _taken(host: str, port: int) -> OutputError:
    who = user_of(port) or "another process"
    return OutputError(
        "The console's port is in use.",
        saw=f"{host}:{port} is held by {who}",
        fix=f"stop it, choose another port with --port {port + 1 if port < 65535 else 8080} (CONSOLE_PORT), "
        "or run without a console: --display none",
    )


def _unusable(host: str, port: int, error: OSError) -> OutputError:
    return OutputError(
        "The console cannot listen at this address.",
        saw=f"{host}:{port}: {error.strerror}",
        fix="give an address of this machine with --host, and a port from 1024 on with --port",
    )
