"""A changed order has to prove itself: the camera becomes live with it, or the change is taken back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from app import settings
from app.fleet.order import Order
from app.fleet.wished import Wished


def longest_s(least_s: float, orders: Iterable[Order]) -> float:
    """That a camera may take to become live: at least as long as its own run waits for it."""
    chosen = {order.settings for order in orders}
    return max([least_s, *(settings.load(dict(one)).supervise.start_timeout_s for one in chosen)])


def take_back(wished: Wished, prove_s: float, *, now_s: float) -> bool:
    """Whether a change was undone: one with which a camera does not become live, wherever it was made."""
    for camera, posted in wished.posted.items():
        kept, wanted = posted.before, wished.orders.get(camera)
        is_given_up = now_s - posted.at_s > prove_s and not posted.proved
        if kept is None or wanted is None or not is_given_up or posted.order.revision != wanted.revision:
            continue
        wished.said = f"{camera} did not become live with a changed order: the change was taken back"
        # A camera that is described otherwise may be alone to blame.
        concerned = [camera] if kept.camera != wanted.camera else list(wished.orders)
        wished.orders |= {
            name: replace(wished.orders[name], settings=kept.settings, again=kept.again) for name in concerned
        }
        wished.orders[camera] = replace(wished.orders[camera], camera=kept.camera)
        return True
    return False


def is_another(order: Order, before: Order) -> bool:
    """In what can be taken back: a new address of the store or another machine cannot."""
    return (order.camera, order.settings, order.again) != (before.camera, before.settings, before.again)
