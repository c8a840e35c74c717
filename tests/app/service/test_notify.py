from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.service.notify import Notify, ServiceManager, manager_of


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(10)
        yield listening


def test_words_come_one_on_a_line(systemd: socket.socket) -> None:
    notify = Notify(ServiceManager(systemd.getsockname()))
    assert notify.tell(READY=1, STATUS="all is well")
    assert systemd.recv(4096) == b"READY=1\nSTATUS=all is well"
    notify.close()


def test_a_status_cannot_bring_in_another_word(systemd: socket.socket) -> None:
    notify = Notify(ServiceManager(systemd.getsockname()))
    assert notify.tell(STATUS="broken\nMAINPID=1")
    assert notify.tell(STATUS="")
    assert [systemd.recv(4096), systemd.recv(4096)] == [b"STATUS=broken", b"STATUS="]
    notify.close()


def test_an_address_outside_the_file_system() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind("")  # the kernel chooses a name that begins with a zero byte
        listening.settimeout(10)
        name = listening.getsockname()
        notify = Notify(ServiceManager("@" + name[1:].decode()))
        assert notify.tell(READY=1)
        assert listening.recv(100) == b"READY=1"
        notify.close()


def test_a_manager_that_is_gone_stops_nobody(tmp_path: Path) -> None:
    notify = Notify(ServiceManager(str(tmp_path / "gone")))
    assert not notify.tell(READY=1)
    notify.close()
    assert not notify.tell(READY=1)
    assert not Notify(ServiceManager()).tell(READY=1)


def test_what_systemd_says_in_the_environment() -> None:
    assert manager_of({}, 7) == ServiceManager()
    told = {"NOTIFY_SOCKET": "/run/n", "WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "7"}
    assert manager_of(told, 7) == ServiceManager("/run/n", 30.0)
    assert manager_of(told, 8) == ServiceManager("/run/n"), "the watchdog is for another process"
    for unreadable in ("", "x", "-5", "0"):
        assert manager_of({**told, "WATCHDOG_USEC": unreadable}, 7).watchdog_s is None
    assert manager_of(told, 7).sign_every_s == 10.0
