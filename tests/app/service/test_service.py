"""The whole program under a stand-in for systemd."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.service.notify import ServiceManager
from app.service.service import Service
from checkpoints.errors import SettingsError
from pipeline.config import GalleryConfig, RunConfig


class Systemd:
    """What was told it, until now."""

    def __init__(self, listening: socket.socket) -> None:
        self.address = listening.getsockname()
        self._listening = listening
        self.heard: list[str] = []

    def until(self, line: str) -> None:
        """Until it is told this."""
        while not any(each.startswith(line) for each in self.heard):
            self.heard += self._listening.recv(4096).decode().splitlines()


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[Systemd]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(60)
        yield Systemd(listening)


def test_the_program_is_ready_alive_reloaded_and_stopping(program: Any, systemd: Systemd) -> None:
    told = {"NOTIFY_SOCKET": systemd.address, "WATCHDOG_USEC": "1500000"}
    running = program.start("--source", "demo", "--realtime", 10, **told)
    systemd.until("READY=1")
    systemd.heard.clear()
    for _ in range(3):
        systemd.until("WATCHDOG=1")
        systemd.heard.clear()
    os.kill(running.pid, signal.SIGHUP)
    systemd.until("RELOADING=1")
    assert any(each.startswith("MONOTONIC_USEC=") for each in systemd.heard)
    systemd.until("STATUS=the settings were reloaded: nothing has changed")
    running.send_signal(signal.SIGTERM)
    systemd.until("STOPPING=1")
    said, _ = running.communicate(timeout=60)
    assert running.returncode == 0, said


class System:
    """As much of one as a service needs: a camera that gives a picture each time, and none comes through."""

    def __init__(self) -> None:
        self.config = RunConfig((), gallery=GalleryConfig())
        self.renewed: list[str] = []
        self.given = 0
        self.closed: list[str] = []
        self.supervisor = self
        self.ready = True

    def captured(self) -> dict[str, int]:
        self.given += 1
        return {"door": self.given}

    def shut(self) -> list[str]:
        return self.closed

    def resting(self) -> list[str]:
        return []

    def away(self) -> list[str]:
        return ["door"]

    def process_of(self, stage: str) -> str:
        return stage

    def adopt(self, config: RunConfig, renew: list[str]) -> None:
        self.config, self.renewed = config, renew


def test_settings_that_cannot_be_used_change_nothing() -> None:
    def reread() -> RunConfig:
        raise SettingsError("The settings cannot be used.", saw="MATCH_MARGIN=x")

    system: Any = System()
    said = Service(ServiceManager(), 10, reread).reload(system)
    assert "MATCH_MARGIN=x" in said
    assert system.renewed == []


def test_a_reload_says_what_counts_now_and_what_does_not() -> None:
    new = RunConfig((), placement="fused", gallery=GalleryConfig(match_margin=0.2))
    system: Any = System()
    said = Service(ServiceManager(), 10, lambda: new).reload(system)
    assert said == "the settings were reloaded: gallery.match_margin; only a new start changes placement"
    assert system.renewed == ["lookup"]
    assert system.config == RunConfig((), gallery=GalleryConfig(match_margin=0.2))


@pytest.mark.parametrize("shut", [[], ["detect"]])
def test_held_up_pictures_stop_the_signs_of_life_but_for_a_stage_that_starts_or_rests(
    systemd: Systemd, shut: list[str]
) -> None:
    system: Any = System()
    system.closed = shut
    service = Service(ServiceManager(systemd.address, watchdog_s=0.001), -1, lambda: system.config)
    service.turn(system, [])
    service.stopping()
    systemd.until("STOPPING=1")
    service.close()
    assert systemd.heard.count("WATCHDOG=1") == len(shut)
