"""Nothing secret is told: passwords, tokens and keys are planted everywhere, and all that comes out is searched."""

from __future__ import annotations

import base64
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from checkpoints.portrait import PATH as PORTRAIT
from checkpoints.portrait import PERSON
from checkpoints.sealed import new_key
from pipeline.clock import now_ns
from tests.app.console.small_console import Browser

CAMERA, QUERY = "Cam&ra Passw0rd/4711", "streamT0ken4712"
SECRETS = {
    "CAMERA_PASSWORD": CAMERA,
    "QDRANT_API_KEY": "qdrantK3y-4713",
    "CONSOLE_PASSWORD": "console passw0rd 4714",
    "CONSOLE_VIEWER_PASSWORD": "viewer passw0rd 4715",
    "CONSOLE_TOKEN": "consoleT0ken-4716-4716",
    "CONSOLE_VIEWER_TOKEN": "viewerT0ken-4717-4717",
    "MQTT_PASSWORD": "mqtt passw0rd 4718",
    "WEBHOOK_SECRET": "webh00kS3cret-4719",
    "ENCRYPTION_KEY": new_key(),
    "FLEET_KEY": "fleetK3y-4722-4722",
    "FLEET_TOKEN": "fleetT0ken-4723-4723",
}
PLANTED = {
    **SECRETS,
    "CAMERA_USER": "camera",
    "MQTT_USER": "mqtt",
    "MQTT_URL": "mqtt://127.0.0.1:9",
    "QDRANT_URL": "http://127.0.0.1:9",
    "WEBHOOK_URL": "http://127.0.0.1:9/hook?key=webh00kQuery-4720",
}
UNESCAPED = "p@th/Passw0rd@unesc4ped-4724"  # as people write it, though it ought to be percent-encoded
ADDRESS = f"http://{{user}}:{{password}}@127.0.0.1:9/stream?token={QUERY}"
IN_QUERY = f"http://127.0.0.1:9/video?user=me@example.org&password={UNESCAPED}"
PATIENCE_S = 120


def written_ways(secret: str) -> set[bytes]:
    """As it is, in addresses, in JSON, as base 64 and hex, and in Python's own form."""
    raw = secret.encode()
    ways = {secret, quote(secret), quote(secret, safe=""), secret.replace("/", "\\/"), raw.hex()}
    ways |= {base64.b64encode(raw).decode().rstrip("="), base64.urlsafe_b64encode(raw).decode().rstrip("=")}
    return {way.encode() for way in ways}


def raw_key() -> set[bytes]:
    key = base64.b64decode(SECRETS["ENCRYPTION_KEY"])
    return {key, key.hex().encode(), repr(key)[2:-1].encode()}


def leaks(said: bytes) -> list[str]:
    everything = {**SECRETS, "query": QUERY, "webhook": "webh00kQuery-4720", "unescaped": "unesc4ped-4724"}
    found = [name for name, secret in everything.items() if any(way in said for way in written_ways(secret))]
    return found + ["raw key"] * any(way in said for way in raw_key())


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file() and not path.is_symlink()}


def until(what: Any) -> Any:
    end_ns = now_ns() + PATIENCE_S * 1_000_000_000
    while not (found := what()):
        assert now_ns() < end_ns, "it never came to be"
    return found


def test_a_leak_would_be_found() -> None:
    assert leaks(b"rtsp://camera:" + quote(CAMERA, safe="").encode() + b"@host") == ["CAMERA_PASSWORD"]
    assert leaks(base64.b64encode(b"console passw0rd 4714")) == ["CONSOLE_PASSWORD"]
    assert leaks(base64.b64decode(SECRETS["ENCRYPTION_KEY"]) + b"x") == ["raw key"]
    assert leaks(b"nothing") == []


@pytest.fixture
def run(program: Any, tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], httpx.Client, list[str]]]:
    outputs = ["--events", tmp_path / "e.jsonl", "--report", tmp_path / "r.json", "--trace", tmp_path / "t.json"]
    more = {key: value for key, value in PLANTED.items() if key != "QDRANT_URL"} | {"DISPLAY_MODE": "web"}
    enrolled = program.run("enroll", PERSON, PORTRAIT, **more)
    assert enrolled.code == 0 and leaks(enrolled.said.encode()) == [], enrolled.said
    sources = ["--source", "demo", "--loop", "--realtime", "10", "--source", ADDRESS, "--source", IN_QUERY]
    started = program.start(*sources, "--port", "0", *outputs, **more)
    said: list[str] = []
    for line in started.stdout:
        said.append(line)
        if "listening at" in line:
            break
    assert "listening at" in said[-1], "".join(said)
    with httpx.Client(base_url=said[-1].rpartition(" at ")[2].strip(), timeout=60) as client:
        yield started, client, said
    if started.poll() is None:
        os.killpg(started.pid, signal.SIGKILL)


@pytest.mark.timeout(500)
def test_a_whole_run_tells_no_secret(
    run: tuple[subprocess.Popen[str], httpx.Client, list[str]], program: Any, tmp_path: Path
) -> None:
    started, client, said = run
    browser = Browser(client)
    browser.client.post("/api/login", json={"password": "a wrong one"}, headers={"Origin": str(client.base_url)})
    token = {"Authorization": f"Bearer {SECRETS['CONSOLE_TOKEN']}"}
    people = until(lambda: client.get("/api/people", headers=token).json())
    assert [one["name"] for one in people] == [PERSON]
    until(lambda: client.get("/api/events", params={"person": PERSON}, headers=token).json()["events"])
    described = client.get("/api/openapi.json", headers=token).json()
    pages = [path for path, verbs in described["paths"].items() if "get" in verbs and "{" not in path]
    answers = {path: client.get(path, headers=token) for path in pages if "stream" not in path and "live" not in path}
    assert len(answers) >= 8 and answers["/api/settings"].status_code == 200
    for path in ("/", "/healthz", "/metrics", "/api/settings", "/api/cameras/127.0.0.1", "/nothing", "/static/main.js"):
        answers[path] = client.get(path, headers=token)
    os.killpg(started.pid, signal.SIGINT)
    rest, _ = started.communicate(timeout=60)
    told = {path: answer.content + repr(answer.headers).encode() for path, answer in answers.items()}
    told |= files_of(tmp_path) | {"terminal": "".join([*said, rest]).encode()}
    assert (tmp_path / "r.json").exists() and (tmp_path / "data" / "gallery").exists()
    assert {where: leaks(what) for where, what in told.items() if leaks(what)} == {}


COMMANDS = (
    ["doctor"],
    ["gallery", "list"],
    ["--help"],
    ["keys", "--help"],
    ["--frames", "3"],
    ["--source", ADDRESS + "&bad", "--frames", "3"],
    ["--source", "rtsp://u:" + quote(CAMERA, safe="") + "@127.0.0.1:9/x", "--frames", "3"],
    ["--source", "demo", "--evnts", ADDRESS],
    [ADDRESS],
    ["--source", f"rtsp://127.0.0.1:9/h264?username=me@example.org&password={UNESCAPED}", "--frames", "3"],
    ["--source", f"rtsp://127.0.0.1:9/user=me_password={UNESCAPED}_channel=1.sdp", "--frames", "3"],
    ["--source", f"rtsp://me:{UNESCAPED}@127.0.0.1:9/x", "--frames", "3"],
    [f"--sorce=rtsp://me:{UNESCAPED}@127.0.0.1:9/x"],
    [f"rtsp://127.0.0.1:9/x?password={UNESCAPED}"],
)


@pytest.mark.parametrize("number", range(len(COMMANDS)))
def test_commands_and_their_errors_tell_no_secret(program: Any, tmp_path: Path, number: int) -> None:
    arguments = [word.replace("{password}", quote(CAMERA, safe="")) for word in COMMANDS[number]]
    ended = program.run(*arguments, **PLANTED, OPEN_TIMEOUT="1", QDRANT_TIMEOUT="0.5")
    assert leaks(ended.said.encode()) == []
    assert {where: leaks(what) for where, what in files_of(tmp_path).items() if leaks(what)} == {}


BAD = {
    "ENCRYPTION_KEY": SECRETS["ENCRYPTION_KEY"] + "x4721",
    "CONSOLE_TOKEN": "short4721",
    "CONSOLE_PASSWORD": "4721",
    "QDRANT_API_KEY": "with spaces 4721",
    "MQTT_URL": "mqtt://user:passw0rd4721@host",
    "WEBHOOK_URL": "ftp://user:passw0rd4721@host",
    "QDRANT_URL": "http://user:passw0rd4721@host:6333",
    "VIDEO_SOURCE": "bogus://user:passw0rd4721@host",
}


@pytest.mark.parametrize("name", BAD)
def test_a_setting_that_is_refused_is_not_shown_when_it_may_be_secret(program: Any, name: str) -> None:
    ended = program.run("--frames", "3", **{name: BAD[name]})
    assert ended.code == 2, ended.said
    assert name in ended.said
    assert "4721" not in ended.said
