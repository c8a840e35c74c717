"""A network of its own for a camera, in a namespace: packets can be lost in it and its cable pulled. Linux, as root."""

from __future__ import annotations

import os
import shutil
import subprocess
from types import TracebackType


def is_there() -> bool:
    """Whether namespaces can be made here and packets be dropped at random."""
    if os.name != "posix" or os.geteuid() != 0 or not all(map(shutil.which, ("ip", "iptables"))):
        return False
    return _tried("ip", "netns", "list") and _tried("iptables", "-m", "statistic", "--help")


class CameraNetwork:
    """Use as a context. address: the camera's; prefix: of a command that is to run at its end."""

    def __init__(self) -> None:
        net = f"10.{128 + os.getpid() % 127}.{os.getpid() // 127 % 256}"  # several may be there at once
        self._host, self.address = f"{net}.1", f"{net}.2"
        self._name = f"facewire-{os.getpid()}"
        self._here, self._there = f"fwh{os.getpid() % 10**6}", f"fwc{os.getpid() % 10**6}"
        self.prefix = ("ip", "netns", "exec", self._name)

    def __enter__(self) -> CameraNetwork:
        try:
            self._put_up()
        except subprocess.CalledProcessError:
            self._take_down()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._take_down()

    def _put_up(self) -> None:
        _run("ip", "netns", "add", self._name)
        _run("ip", "link", "add", self._here, "type", "veth", "peer", "name", self._there, "netns", self._name)
        _run("ip", "address", "add", f"{self._host}/24", "dev", self._here)
        _run("ip", "link", "set", self._here, "up")
        _run(*self.prefix, "ip", "address", "add", f"{self.address}/24", "dev", self._there)
        for name in ("lo", self._there):
            _run(*self.prefix, "ip", "link", "set", name, "up")

    def _take_down(self) -> None:
        _tried("ip", "link", "delete", self._here)  # both ends; a namespace alone would keep them for a while
        _tried("ip", "netns", "delete", self._name)

    def lose(self, share: float) -> None:
        """From now on so many of the packets that the camera sends."""
        _run(*self.prefix, "iptables", "-F", "OUTPUT")
        if share:
            words = ("-m", "statistic", "--mode", "random", "--probability", str(share), "-j", "DROP")
            _run(*self.prefix, "iptables", "-A", "OUTPUT", "-o", self._there, *words)

    def pull_cable(self) -> None:
        """Both ends stay up and know nothing, as with a switch between them."""
        self.lose(1.0)

    def plug_in(self) -> None:
        self.lose(0.0)


def _run(*words: str) -> None:
    subprocess.run(words, check=True, capture_output=True)


def _tried(*words: str) -> bool:
    return subprocess.run(words, check=False, capture_output=True).returncode == 0
