"""The process of a camera's run, before it knows what it is to be."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other permissions")
def test_what_a_run_of_a_fleet_writes_is_for_its_owner_only(tmp_path: Path) -> None:
    code = (
        "from app.fleet import leashed, one_camera; from pathlib import Path;"
        "one_camera.main = lambda told: Path('a').mkdir() or Path('a/b').write_text('x');"
        "leashed.main()"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=True)
    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.rglob("*")}
    assert modes == {"a": 0o700, "b": 0o600}
