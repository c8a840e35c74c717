"""What the control of a fleet is begun with, and what does its work: so that it can be tried without Ray."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from app.fleet.barred import Barred
from app.fleet.forgetting import Forgotten
from app.fleet.likeness import Met
from app.fleet.order import Order, Report
from app.fleet.place import Node
from pipeline.config import CollectorConfig

PROVE_S = 120.0  # that a camera may take to be live after a change, before the change is taken back


@dataclass(frozen=True, slots=True)
class Charter:
    """What the control is begun with.

    folder   of the fleet's store and wishes, on this machine
    host     that cameras and people reach it at
    secret   events are signed with it
    token    of those who look
    prove_s  that a changed camera has to become live in
    """

    folder: Path
    host: str
    port: int
    secret: str = field(repr=False)
    token: str = field(repr=False)
    prove_s: float = PROVE_S


class Hands(Protocol):
    """What the control does with the actors of the cameras (`cluster.Wardens`)."""

    def begin(self, order: Order, node: Node, shut: list[str]) -> None: ...
    def find(self, camera: str) -> bool: ...
    def names(self) -> set[str]: ...
    def end(self, cameras: list[str]) -> None: ...
    def look(self, timeout_s: float) -> Mapping[str, Report | None]: ...
    def dead(self) -> set[str]: ...
    def sweep(
        self, node: Node, collector: CollectorConfig, busy: list[str], chosen: Mapping[str, str], barred: list[Barred]
    ) -> None: ...
    def settle(self, timeout_s: float) -> None: ...
    def forget(self, nodes: list[Node], name: str) -> list[Forgotten]: ...
    def log(self, camera: str, lines: int) -> list[str]: ...
    def met(self, nodes: list[Node], since: str) -> list[Met]: ...
