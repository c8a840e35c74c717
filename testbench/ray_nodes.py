"""A real cluster of Ray, all of its nodes on this machine, each with a data folder of its own; and how one is lost."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ray.cluster_utils import Cluster

from app.fleet.joining import QUIET, SYSTEM_CONFIG

SHARED = ("models", "engines")


class Nodes:
    """The first one is the head, which has the fleet's control and store."""

    def __init__(self, folder: Path, models: Path, engines: Path) -> None:
        os.environ.update({**QUIET, "RAY_AUTH_MODE": "disabled"})  # all of it is on this machine
        self._folder = folder
        self._shared = dict(zip(SHARED, (models, engines), strict=True))
        self._cluster = Cluster()
        self._nodes: list[Any] = []

    @property
    def address(self) -> str:
        return str(self._cluster.address)

    def data_dir(self, number: int) -> Path:
        return self._folder / f"node{number}"

    def id_of(self, number: int) -> str:
        return str(self._nodes[number].node_id)

    def add(self, *, cpus: float, site: str | None = None, **environment: str) -> None:
        own = self.data_dir(len(self._nodes))
        own.mkdir()
        for name, path in self._shared.items():
            (own / name).symlink_to(path.resolve())
        head = {} if self._nodes else {"_system_config": SYSTEM_CONFIG, "include_dashboard": False}
        made = self._cluster.add_node(
            num_cpus=cpus,
            labels={} if site is None else {"site": site},
            env_vars={**QUIET, "DATA_DIR": str(own), **environment},
            **head,
        )
        self._nodes.append(made)

    def kill(self, number: int) -> None:
        """As when its plug is pulled: nothing of Ray on it can say goodbye."""
        self._cluster.remove_node(self._nodes[number], allow_graceful=False)

    def close(self) -> None:
        self._cluster.shutdown()


@contextmanager
def on_cores(cores: Sequence[int]) -> Iterator[None]:
    """What is started meanwhile stays on these processors."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
