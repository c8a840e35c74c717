"""A ticket opens the pictures of one camera for a while, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from app.console import ticket
from tests.app.console.small_console import CAMERA, SmallConsole

TOKEN = "viewer-token-0123456789"
KEYS = {"CONSOLE_PASSWORD": "correct horse", "CONSOLE_VIEWER_TOKEN": TOKEN}


@pytest.fixture
def client(tmp_path: Path) -> Iterator[httpx.Client]:
    console = SmallConsole(tmp_path, KEYS)
    console.show(1)
    with console.client() as made:
        yield made
    console.close()


def given(camera: str = CAMERA, token: str = TOKEN, *, valid_s: int = 60) -> tuple[str, str]:
    at = urlsplit(ticket.address("http://10.0.0.1:81/", camera, "snapshot", token, valid_s=valid_s))
    return at.path, at.query


def test_a_page_elsewhere_may_show_the_picture_that_it_has_a_ticket_for(client: httpx.Client) -> None:
    path, query = given()
    answer = client.get(f"{path}?{query}")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/jpeg")
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"


def test_it_opens_nothing_else(client: httpx.Client) -> None:
    _, query = given()
    for path in (
        "/api/cameras",
        "/api/people",
        f"/api/cameras/{CAMERA}/faces",
        "/api/cameras/other/snapshot",
        "/api/live",
    ):
        answer = client.get(f"{path}?{query}")
        assert answer.status_code == 401, path
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert client.post(f"/api/people?{query}").status_code == 401


def test_tickets_of_others_and_old_ones_are_worth_nothing() -> None:
    assert ticket.is_valid(*given(), TOKEN)
    assert not ticket.is_valid(*given(token="another-token-0123456"), TOKEN)
    assert not ticket.is_valid(*given(valid_s=-1), TOKEN)
    assert not ticket.is_valid(*given(valid_s=ticket.LONGEST_S + 60), TOKEN)
    assert not ticket.is_valid(*given(), None)
    path, query = given()
    assert not ticket.is_valid(path, query.replace("until=", "until=1"), TOKEN)
    assert not ticket.is_valid(path, "", TOKEN)
    assert not ticket.is_valid(path, "until=%C2%B2&ticket=%C2%B2", TOKEN)


def test_a_name_of_any_letters_is_signed_as_it_is(client: httpx.Client) -> None:
    path, query = given("Tür 2")
    assert path == "/api/cameras/T%C3%BCr%202/snapshot"
    assert ticket.is_valid("/api/cameras/Tür 2/snapshot", query, TOKEN)
