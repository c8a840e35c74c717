"""Files are closed to others, and a crash leaves no core file: in processes of their own, since it holds for ever."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from app.privacy import open_to_others

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has other permissions")
ROOT = Path(__file__).resolve().parents[2]


def aborted(statement: str, folder: Path) -> int:
    """The status that waitpid gives for a process that is killed as by a crash in native code."""
    code = f"import os, resource; resource.setrlimit(resource.RLIMIT_CORE, (1 << 20, -1)); {statement}; os.abort()"
    started = subprocess.Popen([sys.executable, "-c", code], cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)})
    _, status = os.waitpid(started.pid, 0)
    started.returncode = -os.WTERMSIG(status)
    return status


def test_files_and_folders_are_closed_to_others(tmp_path: Path) -> None:
    code = (
        "from app import privacy; privacy.begin(); import pathlib, subprocess, sys;"
        "pathlib.Path('a').mkdir(); pathlib.Path('a/b').write_text('x');"
        "subprocess.run([sys.executable, '-c', 'open(\"c\", \"w\")'], check=True)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=True)
    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.rglob("*")}
    assert modes == {"a": 0o700, "b": 0o600, "c": 0o600}


def test_a_crash_leaves_no_core_file(tmp_path: Path) -> None:
    without = aborted("pass", tmp_path)
    assert os.WTERMSIG(without) == signal.SIGABRT
    guarded = aborted("from app import privacy; privacy.begin()", tmp_path)
    assert os.WTERMSIG(guarded) == signal.SIGABRT
    assert not os.WCOREDUMP(guarded)
    if not os.WCOREDUMP(without):
        pytest.skip("this system writes no core files, so that none is left proves nothing")


def test_files_that_others_may_read_are_found(tmp_path: Path) -> None:
    for name in ("models/m", "open/a", "closed/b", "c"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.parent.chmod(0o755)
        path.write_text("x")
        path.chmod(0o644)
    (tmp_path / "closed").chmod(0o700)
    (tmp_path / "d").touch(0o600)
    assert sorted(path.name for path in open_to_others(tmp_path, ("models",))) == ["a", "c"]
    tmp_path.chmod(0o700)
    assert open_to_others(tmp_path, ()) == []
    assert open_to_others(tmp_path / "none", ()) == []
