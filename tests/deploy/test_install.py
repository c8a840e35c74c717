"""deploy/install.sh and deploy/facewire where they must refuse; nothing is installed here."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from app.settings import ROOT

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="systemd is for Linux")
SCRIPTS = [
    *(ROOT / "deploy" / name for name in ("install.sh", "facewire")),
    ROOT / "docker/start.sh",
    ROOT / "scripts/setup_environment.sh",
    ROOT / "run.sh",
]
NOBODY = 65534
needs_root = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can be somebody else"
)


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="shellcheck is not installed")
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_shellcheck_finds_nothing(script: Path) -> None:
    done = subprocess.run(["shellcheck", str(script)], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout) == (0, "")


@needs_root
def test_from_another_place_nothing_is_changed(tmp_path: Path) -> None:
    (tmp_path / "deploy").mkdir()
    shutil.copy(ROOT / "deploy/install.sh", tmp_path / "deploy")
    done = subprocess.run(
        [str(tmp_path / "deploy/install.sh")], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 1
    assert "The service runs from /opt/facewire" in done.stderr
    assert str(tmp_path) in done.stderr


@needs_root
@pytest.mark.parametrize(("name", "code"), [("install.sh", 1), ("facewire", 2)])
def test_who_is_not_root_is_told_so(name: str, code: int) -> None:
    """Read from its input, because nobody may open a file of root's."""
    with (ROOT / "deploy" / name).open("rb") as script:
        done = subprocess.run(
            ["sh" if name == "facewire" else "bash", "-s", "doctor"],
            stdin=script,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            user=NOBODY,
            group=NOBODY,
            extra_groups=(),
            cwd="/",
        )
    assert done.returncode == code
    assert "Only root" in done.stderr
    assert "fix: sudo" in done.stderr
