"""deploy/install.sh and deploy/facewire: where they must refuse, and what is laid where, in a folder instead of /."""

from __future__ import annotations

import os
import re
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
STUBS = ("getent", "useradd", "usermod", "systemctl", "chown")
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


def install(folder: Path, *there: str) -> subprocess.CompletedProcess[str]:
    """With a stand-in for every command that changes more than files."""
    code, commands = folder / "opt/facewire", folder / "commands"
    shutil.copytree(ROOT / "deploy", code / "deploy")
    (code / ".env.example").touch()
    commands.mkdir()
    for stub in (*(commands / name for name in STUBS), code / "run.sh"):
        stub.write_text("#!/bin/sh\nexit 0\n", encoding="utf-8")
        stub.chmod(0o755)
    text = (code / "deploy/install.sh").read_text(encoding="utf-8")
    for place in ("/opt/facewire", "/etc/", "/var/lib/", "/usr/local/sbin"):
        text = text.replace(place, f"{folder}{place}")
    text = re.sub(r"-([og]) facewire\b", rf"-\1 {NOBODY}", text)
    (code / "deploy/install.sh").write_text(text, encoding="utf-8")
    for name in ("etc/systemd/system", "var/lib", "usr/local/sbin"):
        (folder / name).mkdir(parents=True)
    for name in there:
        (folder / name).touch()
    path = f"{commands}:{os.environ['PATH']}"
    return subprocess.run(
        [str(code / "deploy/install.sh")],
        env={"PATH": path},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@needs_root
def test_keys_have_a_place_where_the_service_may_write_and_nobody_else_may_look(tmp_path: Path) -> None:
    done = install(tmp_path)
    assert done.returncode == 0, done.stderr
    place = (tmp_path / "etc/facewire/keys").stat()
    assert (place.st_uid, place.st_gid, place.st_mode & 0o777) == (NOBODY, NOBODY, 0o700)
    above = (tmp_path / "etc/facewire").stat()
    assert (above.st_uid, above.st_gid, above.st_mode & 0o777) == (0, NOBODY, 0o750)
    assert (tmp_path / "etc/facewire/facewire.env").stat().st_mode & 0o777 == 0o640


@needs_root
@pytest.mark.parametrize("there", [(), ("etc/nv_tegra_release",)], ids=["a computer", "a Jetson"])
def test_only_on_a_jetson_the_unit_is_given_more(tmp_path: Path, there: tuple[str, ...]) -> None:
    done = install(tmp_path, *there)
    assert done.returncode == 0, done.stderr
    units = tmp_path / "etc/systemd/system"
    assert (units / "facewire.service").read_bytes() == (ROOT / "deploy/facewire.service").read_bytes()
    assert (units / "facewire.service.d/jetson.conf").exists() == bool(there)
