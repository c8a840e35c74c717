"""What systemd is told, in its own words: datagrams to the socket that it names in NOTIFY_SOCKET (see sd_notify(3))."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass

_SHARE = 3  # a sign of life is given so many times within the time that systemd waits for one


@dataclass(frozen=True, slots=True)
class ServiceManager:
    """address     of its socket; None: there is nobody to tell
    watchdog_s  it ends a service that gives no sign of life for so long; None: it does not watch
    """

    address: str | None = None
    watchdog_s: float | None = None

    @property
    def sign_every_s(self) -> float | None:
        return None if self.watchdog_s is None else self.watchdog_s / _SHARE


def manager_of(environ: Mapping[str, str], pid: int) -> ServiceManager:
    """A number that cannot be read is systemd's business and not the user's: then nobody watches."""
    address = environ.get("NOTIFY_SOCKET") or None
    watched_pid, watchdog_us = environ.get("WATCHDOG_PID", str(pid)), environ.get("WATCHDOG_USEC", "")
    if address is None or watched_pid != str(pid) or not watchdog_us.isdigit() or int(watchdog_us) == 0:
        return ServiceManager(address)
    return ServiceManager(address, int(watchdog_us) / 1e6)


class Notify:
    """Losing a datagram is no reason to stop work: a manager that is gone is not told any more."""

    def __init__(self, manager: ServiceManager) -> None:
        self._address = manager.address
        self._socket: socket.socket | None = None
        if self._address is not None and hasattr(socket, "AF_UNIX"):
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | getattr(socket, "SOCK_CLOEXEC", 0))
            self._socket.setblocking(False)

    def tell(self, **words: str | int) -> bool:
        """READY=1, STATUS=…; False when nobody has heard it."""
        if self._socket is None or self._address is None:
            return False
        text = "\n".join(f"{key}={str(value).splitlines()[0] if value != '' else ''}" for key, value in words.items())
        # An @ stands for the zero byte that begins an address outside the file system.
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        try:
            self._socket.sendto(os.fsencode(text), address)
        except OSError:
            return False
        return True

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None
