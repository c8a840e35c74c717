"""What the pages for those who run it say: commands, settings, metrics and files that there really are."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from app import settings
from app.commands import COMMANDS, parser_of_commands
from app.settings import ROOT

PAGES = [ROOT / "docs" / f"{name}.md" for name in ("operations", "jetson", "windows", "security")]
COMMAND = re.compile(r"(?:sudo facewire|python -m app\.main|\./run\.sh) ([^`\n]*)")
FILE = re.compile(r"\b(?:docker|deploy|docs|scripts)/[\w./-]*\w")
# Of systemd, Compose, run.sh, the kernel, the images' recipes and pip: none of them is a setting of the program.
NOT_OURS = {
    "FACEWIRE_MEMORY",
    "JETSON_BASE",
    "JETSON_CUDA_PYTHON",
    "SIGSTOP",
    "CHANGELOG",
    "COMMIT",
    "FACEWIRE_LOCKED",
    "RLIMIT_CORE",
}


def page(path: Path) -> str:
    return path.stem


def commands(text: str) -> list[list[str]]:
    found = [shlex.split(words, comments=True) for words in COMMAND.findall(text)]
    return [words for words in found if words and words[0] in COMMANDS]


def known_settings() -> set[str]:
    return {name for _, _, about in settings.catalogue() for name in about.names}


@pytest.mark.parametrize("path", PAGES, ids=page)
def test_every_command_is_understood(path: Path) -> None:
    found = commands(path.read_text(encoding="utf-8"))
    assert found or path.stem == "windows"
    for words in found:
        parser_of_commands().parse_args(words)


@pytest.mark.parametrize("path", PAGES, ids=page)
def test_every_setting_is_one(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    named = set(re.findall(r"`([A-Z][A-Z_]{4,})(?:=[^`]*)?`", text)) - NOT_OURS
    assert named <= known_settings()


@pytest.mark.parametrize("path", PAGES, ids=page)
def test_every_file_of_ours_is_there(path: Path) -> None:
    # A .env is what the reader makes of the example.
    named = {
        name for name in FILE.findall(path.read_text(encoding="utf-8")) if not name.endswith((".env", "override.yaml"))
    }
    assert named
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []


def test_every_metric_is_given_out() -> None:
    text = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    given = (ROOT / "app/console/prometheus.py").read_text(encoding="utf-8")
    named = {re.sub(r"_(bucket|sum|count)$", "", name) for name in re.findall(r"facewire_[a-z_]+", text)}
    assert len(named) > 10
    assert [name for name in sorted(named) if f'"{name}"' not in given] == []


def test_the_list_of_images_is_whole() -> None:
    text = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    for recipe in (ROOT / "docker").glob("*.Dockerfile"):
        assert f"`docker/{recipe.name}`" in text
