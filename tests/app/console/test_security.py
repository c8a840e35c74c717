"""Who may do what, and what a page elsewhere, a guess, or a file too large cannot do."""

from __future__ import annotations

import json
import socket
import struct
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import cv2
import httpx
import numpy as np
import pytest
from fastapi.routing import APIRoute

from app import serving, settings
from app.console import login, picture_size, roles, sessions, uploads
from app.console.login import Keys, Login
from app.console.problem import Problem
from app.console.sessions import Sessions
from checkpoints.errors import SettingsError
from tests.app.console.small_console import CAMERA, Browser, SmallConsole, jpeg, picture

KEYS = {
    "CONSOLE_PASSWORD": "correct horse",
    "CONSOLE_VIEWER_PASSWORD": "battery staple",
    "CONSOLE_TOKEN": "admin-token-0123456789",
    "CONSOLE_VIEWER_TOKEN": "viewer-token-0123456789",
}
PUBLIC = {("GET", "/api/session"), ("POST", "/api/login"), ("GET", "/healthz"), ("GET", "/")}


@pytest.fixture
def closed(tmp_path: Path) -> Iterator[SmallConsole]:
    """A console with passwords and tokens."""
    made = SmallConsole(tmp_path, KEYS)
    yield made
    made.close()


@pytest.fixture
def client(closed: SmallConsole) -> Iterator[httpx.Client]:
    with closed.client() as made:
        yield made


@pytest.fixture
def small(tmp_path: Path) -> Iterator[SmallConsole]:
    made = SmallConsole(tmp_path)
    yield made
    made.close()


def all_routes(console: SmallConsole) -> list[tuple[str, str]]:
    """From the description of the API: what is not in it is not there."""
    found = [
        (method.upper(), path.replace("{name}", CAMERA).replace("{event}", "1").replace("{", "").replace("}", ""))
        for path, methods in console.app.openapi()["paths"].items()
        for method in methods
    ]
    return [*found, ("GET", "/api/openapi.json"), ("GET", "/")]


def test_every_route_is_closed_without_login_unless_it_is_meant_to_be_open(
    closed: SmallConsole, client: httpx.Client
) -> None:
    routes = all_routes(closed)
    assert len(routes) > 30
    for method, path in routes:
        if (method, path) not in PUBLIC:
            answer = client.request(method, path)
            assert answer.status_code == 401, (method, path)
            assert answer.json()["what"] == "Nobody is logged in."


def test_a_route_that_nobody_thought_of_is_closed() -> None:
    assert roles.needed("GET", "/new") == "viewer"
    assert roles.needed("POST", "/new") == "admin"
    assert roles.needed("OPTIONS", "/") == "admin"


def test_what_is_in_the_application_is_in_the_description(closed: SmallConsole) -> None:
    hidden = [one.path for one in closed.app.routes if isinstance(one, APIRoute) and not one.include_in_schema]
    assert hidden == ["/"]


def test_without_login_health_tells_its_status_and_nothing_else(client: httpx.Client) -> None:
    assert client.get("/healthz").json() == {
        "status": "ok",
        "problems": [],
        "stages": [],
        "cameras": [],
        "outlets": [],
    }


def test_a_login_gives_a_cookie_that_scripts_and_other_sites_cannot_use(client: httpx.Client) -> None:
    assert client.get("/api/session").json()["role"] is None
    answer = client.post("/api/login", json={"password": KEYS["CONSOLE_PASSWORD"]})
    assert answer.json()["role"] == "admin"
    (cookie,) = answer.headers.get_list("set-cookie")
    assert {"HttpOnly", "SameSite=strict", "Path=/"} <= set(cookie.split("; "))
    before = dict(client.cookies)
    client.post("/api/login", json={"password": KEYS["CONSOLE_PASSWORD"]})
    assert dict(client.cookies) != before, "a login gives a new session"


def test_logging_out_ends_the_session(client: httpx.Client) -> None:
    browser = Browser(client, KEYS["CONSOLE_PASSWORD"])
    (kept,) = (f"{name}={value}" for name, value in client.cookies.items())
    assert client.get("/api/cameras", headers={"Cookie": kept}).status_code == 200
    assert browser.send("POST", "/api/logout").status_code == 204
    assert not client.cookies
    assert client.get("/api/cameras", headers={"Cookie": kept}).status_code == 401


def test_a_viewer_may_look_and_change_nothing(closed: SmallConsole, client: httpx.Client) -> None:
    browser = Browser(client, KEYS["CONSOLE_VIEWER_PASSWORD"])
    assert browser.session["role"] == "viewer"
    assert client.get("/api/cameras").status_code == 200
    for method, path in all_routes(closed):
        if method != "GET" and path not in ("/api/login", "/api/logout", "/api/identify", "/api/trace"):
            answer = browser.send(method, path)
            assert answer.status_code == 403, (method, path)
            assert answer.json()["what"] == "A viewer may look, and change nothing."


@pytest.mark.parametrize(("name", "changes"), [("CONSOLE_TOKEN", 404), ("CONSOLE_VIEWER_TOKEN", 403)])
def test_a_program_sends_its_token_and_needs_no_cookie(client: httpx.Client, name: str, changes: int) -> None:
    headers = {"Authorization": f"Bearer {KEYS[name]}"}
    assert client.get("/metrics", headers=headers).status_code == 200
    assert client.delete("/api/people/0123456789abcdef", headers=headers).status_code == changes
    assert client.get("/metrics", headers={"Authorization": "Bearer wrong"}).status_code == 401
    assert client.get("/metrics", headers={"Authorization": "Basic eDp5"}).status_code == 401


def test_a_change_needs_the_token_of_its_session(small: SmallConsole) -> None:
    small.served.gallery.add("Ada", [picture(1)])
    with small.client() as client:
        browser = Browser(client)
        (ada,) = client.get("/api/people").json()
        place = f"/api/people/{ada['id']}"
        assert client.delete(place).status_code == 403, "the cookie alone, as a page elsewhere would send it"
        assert client.delete(place, headers={"X-CSRF-Token": "guess"}).status_code == 403
        elsewhere = {"Origin": "http://evil.example", "Sec-Fetch-Site": "cross-site"}
        assert browser.send("DELETE", place, headers=elsewhere).status_code == 403
        assert client.post("/api/login", json={"password": ""}, headers=elsewhere).status_code == 403
        with small.client() as other:
            stolen = {"X-CSRF-Token": browser.session["csrf"]}
            Browser(other)
            assert other.delete(place, headers=stolen).status_code == 403, "the token of another session"
        assert len(client.get("/api/people").json()) == 1
        assert browser.send("DELETE", place).status_code == 200


def test_passwords_cannot_be_guessed_quickly(client: httpx.Client) -> None:
    for _ in range(login.GUESSES):
        assert client.post("/api/login", json={"password": "guess"}).status_code == 401
    answer = client.post("/api/login", json={"password": KEYS["CONSOLE_PASSWORD"]})
    assert answer.status_code == 429
    assert 0 < int(answer.headers["retry-after"]) <= login.WINDOW_S
    headers = {"Authorization": f"Bearer {KEYS['CONSOLE_TOKEN']}"}
    assert client.get("/api/cameras", headers=headers).status_code == 200, "programs are not locked out"


def test_guessing_may_go_on_after_a_while_and_from_elsewhere() -> None:
    now_s = [0.0]
    door = Login(Keys(password="correct horse"), clock=lambda: int(now_s[0] * 1e9))
    for _ in range(login.GUESSES):
        with pytest.raises(Problem):
            door.by_password("guess", "here")
    with pytest.raises(Problem, match="too many"):
        door.by_password("correct horse", "here")
    assert door.by_password("correct horse", "elsewhere") == "admin"
    now_s[0] = login.WINDOW_S + 1
    assert door.by_password("correct horse", "here") == "admin"


def test_sessions_end_when_nobody_uses_them_and_do_not_grow_without_bound() -> None:
    now_s = [0.0]
    kept = Sessions(clock=lambda: int(now_s[0] * 1e9))
    first = kept.begin("viewer")
    assert kept.find(first.id) is first
    now_s[0] = sessions.IDLE_S + 1
    assert kept.find(first.id) is None
    many = [kept.begin("viewer") for _ in range(sessions.MOST_SESSIONS + 1)]
    assert kept.find(many[0].id) is None
    assert kept.find(many[-1].id) is many[-1]


@pytest.mark.parametrize("path", ["/", "/api/session", "/api/cameras", "/static/main.js", "/nothing", "/healthz"])
def test_every_answer_tells_the_browser_what_not_to_do(client: httpx.Client, path: str) -> None:
    headers = client.get(path).headers
    assert "default-src 'self'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-frame-options"] == "DENY"
    assert "access-control-allow-origin" not in headers


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:9", 200),
        ("localhost", 200),
        ("[::1]:8080", 200),
        ("evil.example", 421),
        ("127.0.0.1.evil.example", 421),
    ],
)
def test_a_name_that_was_made_to_point_here_is_not_listened_to(small: SmallConsole, host: str, status: int) -> None:
    with small.client() as client:
        assert client.get("/api/cameras", headers={"Host": host}).status_code == status


@pytest.mark.parametrize(
    "path",
    [
        "/static/../server.py",
        "/static/%2e%2e/server.py",
        "/static/..%2f..%2fserver.py",
        "/static/%2e%2e%2f%2e%2e%2f%2e%2e%2fetc/passwd",
        "/api/unknowns/..%2f..%2fsightings/picture",
        "/api/people/..%2f..%2fetc/picture",
        "/api/cameras/..%2f..%2fetc%2fpasswd/snapshot",
    ],
)
def test_no_path_of_a_request_reaches_the_files(small: SmallConsole, path: str) -> None:
    with small.client() as client:
        request = client.build_request("GET", path)
        request.url = request.url.copy_with(raw_path=path.encode())
        answer = client.send(request)
        assert answer.status_code == 404
        assert answer.headers["content-type"] == "application/json"


def test_no_path_in_a_parameter_reaches_the_files(small: SmallConsole) -> None:
    small.served.gallery.add("Ada", [picture(1)])
    with small.client() as client:
        (ada,) = client.get("/api/people").json()
        answer = client.get(f"/api/people/{ada['id']}/picture", params={"picture": "../../../etc/passwd"})
        assert answer.status_code == 404
        answer = Browser(client).send(
            "POST", "/api/people", data={"name": "../x"}, files={"pictures": ("a.jpg", jpeg())}
        )
        assert answer.status_code in (422, 503)
        assert not list(small.folder.glob("**/x"))


def test_what_is_too_large_is_refused_before_it_is_read(small: SmallConsole) -> None:
    with small.client() as client:
        browser = Browser(client)
        answer = browser.send("POST", "/api/faces/enrol", content=b" " * 100_000)
        assert (answer.status_code, answer.json()["what"]) == (413, "This is too much at once.")
        begin = b'--x\r\nContent-Disposition: form-data; name="picture"; filename="a.jpg"\r\n\r\n'
        headers = {"Content-Type": "multipart/form-data; boundary=x"}
        endless = iter([begin, *[b" " * (1 << 20)] * 13])  # its length is not announced
        answer = browser.send("POST", "/api/identify", content=endless, headers=headers)
        assert (answer.status_code, answer.json()["what"]) == (413, "This is too much at once.")


def test_who_sends_all_of_it_before_reading_sees_why_it_was_refused(closed: SmallConsole) -> None:
    with closed.serving() as address:
        host, _, port = address.removeprefix("http://").partition(":")
        with socket.create_connection((host, int(port)), timeout=20) as browser:
            head = f"POST /api/people HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Length: {100 << 20}\r\n"
            browser.sendall(f"{head}Authorization: Bearer {KEYS['CONSOLE_TOKEN']}\r\n\r\n".encode())
            for _ in range(100):
                browser.sendall(b" " * (1 << 20))
            said = b"".join(iter(lambda: browser.recv(65536), b""))
    assert said.startswith(b"HTTP/1.1 413 ")
    assert b'"saw":"100.0 MB"' in said


def test_200_megabytes_are_refused_by_their_announcement(closed: SmallConsole) -> None:
    with closed.serving() as address:
        connection = HTTPConnection(address.removeprefix("http://"), timeout=20)
        connection.putrequest("POST", "/api/people")
        connection.putheader("Authorization", f"Bearer {KEYS['CONSOLE_TOKEN']}")
        connection.putheader("Content-Length", str(200 << 20))
        connection.endheaders(b"begun")
        answer = connection.getresponse()
        assert (answer.status, json.loads(answer.read())["saw"]) == (413, "200.0 MB")
        connection.close()


def png_of(width: int, height: int) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", width, height) + b"\x08\x02\0\0\0" + b"\0" * 20


def test_a_picture_that_would_be_huge_is_not_decoded() -> None:
    assert uploads.refusal(png_of(20_000, 20_000)) == "too many pixels (20000x20000, at most 40 megapixels)"
    assert uploads.refusal(png_of(7000, 5000)) is None
    assert (uploads.refusal(b"\xff\xd8\xff" + b"\0" * uploads.LARGEST_BYTES) or "").startswith("too large (10.0 MB")
    assert uploads.refusal(jpeg()) is None


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp"])
@pytest.mark.parametrize("size_wh", [(1, 1), (64, 48), (1001, 7)])
def test_the_size_of_a_picture_is_read_from_its_beginning(suffix: str, size_wh: tuple[int, int]) -> None:
    image = np.full((size_wh[1], size_wh[0], 3), 90, np.uint8)
    content = cv2.imencode(suffix, image)[1].tobytes()
    assert picture_size.size_of(content) == size_wh
    for end in range(len(content)):  # cut anywhere it gives a size or None, and never fails
        assert picture_size.size_of(content[:end]) in (None, size_wh)


def test_another_address_than_this_machines_own_demands_a_key() -> None:
    def sides(**environ: str) -> object:
        return serving.sides(settings.load({"DISPLAY_MODE": "web", **environ}))

    for host in ("127.0.0.1", "localhost", "::1", "127.1.2.3"):
        assert sides(CONSOLE_HOST=host)
    for host in ("0.0.0.0", "::", "192.168.1.5", "camera.example"):
        with pytest.raises(SettingsError, match="open to everybody") as caught:
            sides(CONSOLE_HOST=host)
        assert "CONSOLE_PASSWORD" in (caught.value.fix or "")
        assert sides(CONSOLE_HOST=host, CONSOLE_TOKEN="0123456789abcdef")


def test_keys_are_not_in_what_is_printed() -> None:
    assert "correct horse" not in repr(Keys(password="correct horse"))
