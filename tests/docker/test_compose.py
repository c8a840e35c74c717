"""compose.yaml as Compose itself understands it, where it is installed; containers are not started here."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import Any

import pytest
import yaml

from app import flags, settings
from app.settings import ROOT

FOLDER = ROOT / "docker"
FILLED = {"CONSOLE_PASSWORD": "a-long-one", "QDRANT_API_KEY": "a-key", "VIDEO_SOURCE": "rtsp://192.0.2.10/stream"}
NOT_OURS = {"TZ", "NVIDIA_VISIBLE_DEVICES", "NVIDIA_DRIVER_CAPABILITIES"}


def compose() -> list[str]:
    docker, alone = shutil.which("docker"), shutil.which("docker-compose")
    if docker is not None:
        asked = subprocess.run([docker, "compose", "version"], capture_output=True, check=False, timeout=60)
        if asked.returncode == 0:
            return [docker, "compose"]
    if alone is not None:
        return [alone]
    pytest.skip("Docker Compose is not installed")


def config(*more: str, **given: str) -> subprocess.CompletedProcess[str]:
    files = [word for name in ("compose.yaml", *more) for word in ("-f", name)]
    keep = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    command = [*compose(), *files, "config"]
    return subprocess.run(
        command, cwd=FOLDER, env=keep | given, capture_output=True, text=True, check=False, timeout=60
    )


def services(*more: str) -> dict[str, Any]:
    done = config(*more, **FILLED)
    assert done.returncode == 0, done.stderr
    read: dict[str, Any] = yaml.safe_load(done.stdout)["services"]
    return read


@pytest.mark.parametrize("more", [(), ("compose.nvidia.yaml",), ("compose.jetson.yaml",)], ids=str)
def test_every_combination_is_understood(more: tuple[str, ...]) -> None:
    found = services(*more)
    assert set(found) == {"facewire", "qdrant"}
    recipe = found["facewire"]["build"]["dockerfile"]
    assert (ROOT / recipe).is_file()
    assert found["facewire"]["image"] == f"facewire:{recipe.removeprefix('docker/').removesuffix('.Dockerfile')}"


def test_a_jetson_is_given_what_belongs_to_its_jetpack() -> None:
    done = config("compose.jetson.yaml", JETSON_BASE="nvcr.io/base:1", JETSON_CUDA_PYTHON="12.2.1", **FILLED)
    given = yaml.safe_load(done.stdout)["services"]["facewire"]["build"]["args"]
    assert given == {"BASE": "nvcr.io/base:1", "CUDA_PYTHON": "12.2.1"}
    recipe = (FOLDER / "jetson.Dockerfile").read_text(encoding="utf-8")
    for name, text in services("compose.jetson.yaml")["facewire"]["build"]["args"].items():
        assert f"ARG {name}={text}\n" in recipe, "they have the same defaults"


@pytest.mark.parametrize("name", sorted(set(FILLED)))
def test_what_only_the_user_can_know_is_asked_for(name: str) -> None:
    rest = {key: text for key, text in FILLED.items() if key != name}
    done = config(**rest)
    assert done.returncode != 0
    assert name in done.stderr
    assert "docker/.env" in done.stderr


@pytest.mark.parametrize("name", ["facewire", "qdrant"])
def test_no_service_may_do_more_than_it_needs(name: str) -> None:
    service = services()[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in service
    assert service["restart"] == "unless-stopped"


def test_the_console_is_published_to_this_machine_only_and_qdrant_to_nobody() -> None:
    found = services()
    assert "127.0.0.1" in str(found["facewire"]["ports"])
    assert "ports" not in found["qdrant"]
    assert found["qdrant"]["environment"]["QDRANT__TELEMETRY_DISABLED"] == "true"


def test_the_program_takes_what_it_is_given() -> None:
    environment = {name: text or "" for name, text in services()["facewire"]["environment"].items()}
    ours = {name: text for name, text in environment.items() if name not in NOT_OURS}
    known = {name for _, _, about in settings.catalogue() for name in about.names}
    assert {name for name in ours if not name.startswith("VIDEO_SOURCE_")} <= known
    server = flags.gallery_config(settings.load(ours | {"CONSOLE_HOST": "0.0.0.0", "DATA_DIR": "/data"})).server
    assert server is not None
    assert (server.url, server.api_key) == ("http://qdrant:6333", "a-key")


def test_the_example_names_all_that_can_be_filled_in() -> None:
    text = (FOLDER / "compose.yaml").read_text(encoding="utf-8")
    example = (FOLDER / "compose.env.example").read_text(encoding="utf-8")
    used = {part.split("}")[0].split(":")[0] for part in text.split("${")[1:]}
    named = {line.lstrip("#").split("=")[0] for line in example.splitlines() if "=" in line and " " not in line}
    assert named == used | {"COMPOSE_PROJECT_NAME"}
