from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from pipeline.config import ServerConfig

HERE = Path(__file__).parent


def _module(name: str) -> ModuleType:
    """A neighbour of this file: the tests are no package."""
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, HERE / f"{name}.py")
        assert spec is not None and spec.loader is not None
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


class Holder:
    """The process of `holder.py`."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(HERE / "holder.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
            env={"PYTHONPATH": str(HERE.parents[2]), "PATH": ""},
        )

    def tell(self, *words: object) -> None:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(" ".join(map(str, words)) + "\n")
        assert self.process.stdout.readline() == "done\n"


@pytest.fixture(scope="session")
def session_holder() -> Iterator[Holder]:
    holder = Holder()
    yield holder
    holder.process.communicate()


@pytest.fixture
def own_holder() -> Iterator[Holder]:
    """One that the test may stall or kill."""
    holder = Holder()
    yield holder
    holder.process.kill()
    holder.process.communicate()


@pytest.fixture
def make_peer() -> Iterator[Callable[..., Any]]:
    """A server that speaks Qdrant's protocol; a test that breaks the published description fails."""
    peers: list[Any] = []

    def make(**told: Any) -> Any:
        peers.append(_module("qdrant_peer").QdrantPeer(**told))
        return peers[-1]

    yield make
    for peer in peers:
        peer.close()
    assert [violation for peer in peers for violation in peer.violations] == []


@pytest.fixture
def server_config(make_peer: Callable[..., Any]) -> ServerConfig:
    return ServerConfig(make_peer().url, timeout_s=5.0)
