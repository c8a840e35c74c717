"""A run without a console does not carry a web server, and no stage ever does."""

from __future__ import annotations

import subprocess
import sys

import pytest

from pipeline.wiring import STAGES

HEAVY = ("fastapi", "starlette", "uvicorn", "pydantic", "multipart", "paho")


@pytest.mark.parametrize("module", ["app.commands", "app.serving", "app.run", *(row.module for row in STAGES)])
def test_what_every_run_loads_has_no_web_server(module: str) -> None:
    said = subprocess.run(
        [sys.executable, "-c", f"import sys, {module}; print(sorted(set({HEAVY!r}) & set(sys.modules)))"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout.strip() == "[]"
