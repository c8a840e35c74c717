"""What has to be done so that the fleet becomes what is wished: decided anew each second, from what there is.

Nothing is remembered of what was begun, so a control that is started again goes on where it was. Knows no Ray.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal

from app.fleet.order import Order, Report
from app.fleet.place import Need, Node, place


@dataclass(slots=True)
class Posted:
    """A warden that was begun.

    node     where it was to be: Ray may have had to begin it anew elsewhere since
    at_s     when it was begun
    proved   its camera was live with this order
    before   the order that it worked with before
    """

    order: Order
    node: str
    at_s: float
    proved: bool = False
    before: Order | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """begin  a warden where there is none    end  one that is not wished any more
    again  end it in order and begin it at `node`
    """

    kind: Literal["begin", "end", "again"]
    camera: str
    node: str = ""


@dataclass(frozen=True, slots=True)
class Wish:
    """orders  camera → what it is to be
    pins    camera → node that a person has chosen
    shut    nodes that are to be empty
    """

    orders: Mapping[str, Order]
    pins: Mapping[str, str]
    shut: Collection[str]


def next_steps(
    wish: Wish,
    posted: Mapping[str, Posted],
    reports: Mapping[str, Report],
    nodes: Mapping[str, Node],
    *,
    now_s: float,
    prove_s: float,
) -> list[Step]:
    """All that can be done at once. Of changes to cameras that run, one at a time: the next when that one is live."""
    steps = [Step("end", camera) for camera in posted if camera not in wish.orders]
    wanted = placement(wish, posted, reports, nodes)
    missing = [camera for camera in wish.orders if camera not in posted]
    steps += [Step("begin", camera, node) for camera in missing if (node := wanted[camera]) is not None]
    changes = [
        Step("again", camera, node)
        for camera, order in wish.orders.items()
        if (one := posted.get(camera)) is not None
        and (node := wanted[camera]) is not None
        and not _is_silent(reports.get(camera))
        and (
            revision_of(camera, posted, reports) != order.revision
            or (
                node != where(camera, posted, reports)
                # Ray was asked for that node and had no room there: it is not asked again at once.
                and (node != one.node or now_s - one.at_s > prove_s)
            )
        )
    ]
    on_their_way = {
        camera
        for camera, one in posted.items()
        if camera in wish.orders
        and not one.proved
        and now_s - one.at_s < prove_s
        and revision_of(camera, posted, reports) == one.order.revision
    }
    first = next((change for change in changes if not on_their_way - {change.camera}), None)
    return steps if first is None else [*steps, first]


def placement(
    wish: Wish, posted: Mapping[str, Posted], reports: Mapping[str, Report], nodes: Mapping[str, Node]
) -> dict[str, str | None]:
    """Camera → node where it is to be."""
    now = {camera: where(camera, posted, reports) for camera in posted}
    now |= {camera: node for camera, node in wish.pins.items() if node in nodes}
    needs = [Need(camera, one.camera.site, one.cpus, one.gpus) for camera, one in sorted(wish.orders.items())]
    return place(needs, nodes.values(), now=now, shut=wish.shut)


def where(camera: str, posted: Mapping[str, Posted], reports: Mapping[str, Report]) -> str:
    """Where Ray has it, as far as it has told."""
    report = reports.get(camera)
    return posted[camera].node if report is None else report.node


def revision_of(camera: str, posted: Mapping[str, Posted], reports: Mapping[str, Report]) -> str:
    """Of the order that its warden has: another than it was begun with, when one of an earlier fleet was there."""
    report = reports.get(camera)
    return posted[camera].order.revision if report is None else report.revision


def _is_silent(report: Report | None) -> bool:
    """Its machine may be lost: Ray is about to begin it anew, and must not be disturbed."""
    return report is None or report.state == "silent"
