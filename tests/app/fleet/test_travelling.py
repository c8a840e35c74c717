"""The command fleet journeys, with a control that is made up."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import app.fleet
from app.flags import FlagParser
from app.fleet import travelling
from app.fleet.journeys import Seen
from app.fleet.likeness import Met
from checkpoints.errors import SettingsError

T = "2026-01-01T12:{:02}:00.000Z"
SEEN = [Seen("door", T.format(0), T.format(0)), Seen("hall", T.format(2), T.format(3))]


class MadeUp:
    """What a control answers; `asked` is what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, ...]] = []
        self.seen = SimpleNamespace(remote=self._seen)
        self.met = SimpleNamespace(remote=self._met)

    def _seen(self, name: str, since: str) -> list[Seen]:
        self.asked.append((name, since))
        return SEEN if name == "Ann" else []

    def _met(self, since: str) -> list[Met]:
        self.asked.append((since,))
        face = np.eye(4, dtype=np.float32)[:1]
        return [Met(f"{one.camera}/u1", "s", face, np.ones(1, np.float32), (one,)) for one in SEEN]


@pytest.fixture
def control(monkeypatch: pytest.MonkeyPatch) -> MadeUp:
    made = MadeUp()
    fake = SimpleNamespace(control=lambda: made, ask=lambda answer: answer)
    monkeypatch.setitem(sys.modules, "app.fleet.cluster", fake)  # type: ignore[arg-type]
    monkeypatch.setattr(app.fleet, "cluster", fake, raising=False)
    return made


@pytest.fixture
def run(control: MadeUp, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    parser = FlagParser(prog="fleet journeys")
    travelling.add_flags(parser)

    def it(*words: str) -> str:
        args: argparse.Namespace = parser.parse_args(words)
        assert travelling.journeys_command(args) == 0
        return capsys.readouterr().out

    return it


def test_a_known_person_goes_from_camera_to_camera(run: Callable[..., str], control: MadeUp) -> None:
    assert run("Ann").splitlines()[1] == "Ann  2026-01-01 12:00  12:03  door → hall"
    ((name, since),) = control.asked
    assert name == "Ann" and since < "2999"
    assert run("Bob") == "Nobody of this kind was seen.\n"


def test_an_unknown_person_is_one_whatever_the_cameras_call_the_face(run: Callable[..., str]) -> None:
    (told,) = json.loads(run("--unknown", "--json"))
    assert told["who"] == "door/u1"
    assert [stay["camera"] for stay in told["stays"]] == ["door", "hall"]


def test_a_pause_parts_journeys(run: Callable[..., str]) -> None:
    assert len(json.loads(run("Ann", "--json", "--pause", "1"))) == 2


@pytest.mark.parametrize("words", [(), ("Ann", "--unknown"), ("Ann", "--hours", "many"), ("Ann", "--pause", "0")])
def test_what_cannot_be_meant_is_refused(run: Callable[..., str], words: tuple[Any, ...]) -> None:
    with pytest.raises(SettingsError):
        run(*words)
