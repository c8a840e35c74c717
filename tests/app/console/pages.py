"""What tests do with a page of the console."""

from __future__ import annotations

from typing import Any

from tests.app.console.made_up import State


def heading(page: Any, text: str) -> Any:
    found = page.get_by_role("heading", name=text, exact=True, level=1)
    found.wait_for()
    return found


def until(page: Any, wanted: str) -> None:
    """Playwright's own wait_for_function evaluates text in the page, which the console's policy forbids."""
    page.evaluate(
        f"new Promise((done) => {{ const look = () => ({wanted}) ? done() : requestAnimationFrame(look); look(); }})"
    )


def listening(page: Any, state: State) -> None:
    while not any(one.startswith("/api/events/stream") for one in state.asked):
        page.evaluate("new Promise(requestAnimationFrame)")
