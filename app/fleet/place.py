"""Which machine each camera runs on: where it is, if that will do; else by site, then by load. Knows no Ray."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

_ROUNDING = 1e-6  # shares of processors are fractions


@dataclass(frozen=True, slots=True)
class Node:
    """cpus, gpus  that it offers to cameras"""

    id: str
    address: str
    site: str | None
    cpus: float
    gpus: float = 0.0


@dataclass(frozen=True, slots=True)
class Need:
    camera: str
    site: str | None
    cpus: float
    gpus: float = 0.0


@dataclass(slots=True)
class _Taken:
    cpus: float = 0.0
    gpus: float = 0.0


def place(
    needs: Sequence[Need],
    nodes: Iterable[Node],
    *,
    now: Mapping[str, str],
    shut: Collection[str] = (),
) -> dict[str, str | None]:
    """Camera → node; None where there is no room.

    now   camera → node where it is, or is to be: it stays there as long as that node is alive and not shut
    shut  nodes that are given no camera
    """
    open_nodes = {node.id: node for node in nodes if node.id not in shut}
    taken = {one: _Taken() for one in open_nodes}
    placed: dict[str, str | None] = {}
    for need in needs:
        stays = now.get(need.camera)
        if stays is not None and stays in open_nodes and _has_room(open_nodes[stays], taken[stays], need):
            placed[need.camera] = stays
            _take(taken[stays], need)
    # Those that are bound to a site first: the others may go where there is room left.
    for need in sorted(needs, key=lambda one: one.site is None):
        if need.camera not in placed:
            best = _best(need, open_nodes.values(), taken)
            placed[need.camera] = best
            if best is not None:
                _take(taken[best], need)
    return placed


def has_room(node: Node, there: Iterable[Need], need: Need) -> bool:
    """there  those who are on the node without it"""
    taken = _Taken()
    for one in there:
        _take(taken, one)
    return _has_room(node, taken, need)


def load(node: Node, taken_cpus: float, taken_gpus: float = 0.0) -> float:
    """The fuller of what the node offers, 0 to 1."""
    shares = [taken / whole for taken, whole in ((taken_cpus, node.cpus), (taken_gpus, node.gpus)) if whole > 0]
    return max(shares, default=0.0)


def _best(need: Need, nodes: Iterable[Node], taken: Mapping[str, _Taken]) -> str | None:
    fitting = [node for node in nodes if _has_room(node, taken[node.id], need)]
    ranked = sorted(fitting, key=lambda node: (*_away_and_load(need, node, taken[node.id]), node.id))
    return ranked[0].id if ranked else None


def _away_and_load(need: Need, node: Node, taken: _Taken) -> tuple[bool, float]:
    is_away = need.site is not None and node.site != need.site
    return is_away, round(load(node, taken.cpus + need.cpus, taken.gpus + need.gpus), 6)


def _has_room(node: Node, taken: _Taken, need: Need) -> bool:
    return taken.cpus + need.cpus <= node.cpus + _ROUNDING and taken.gpus + need.gpus <= node.gpus + _ROUNDING


def _take(taken: _Taken, need: Need) -> None:
    taken.cpus += need.cpus
    taken.gpus += need.gpus
