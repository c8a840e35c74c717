from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from checkpoints.errors import OutputError
from pipeline.config import ClipsConfig, OutputConfig
from pipeline.system import System

CLIP = "door-2020-01-01T00_00_00_000Z.mp4"


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "clips" / CLIP
    path.parent.mkdir()
    path.write_bytes(b"film")
    os.utime(path, (1, 1))
    return path


def with_clips(system: System, clip: Path) -> None:
    system.adopt(replace(system.config, output=OutputConfig(clips=ClipsConfig(clip.parent))), ())


def test_every_run_erases_what_is_too_old_by_the_settings_of_now(
    make_system: Callable[..., System], clip: Path
) -> None:
    with make_system(frames=1) as system:
        with_clips(system, clip)
        system.poll(0.0)
        assert not clip.exists()


def test_what_cannot_be_erased_is_told_and_the_run_goes_on(
    make_system: Callable[..., System], clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def not_yours(self: Path, missing_ok: bool = False) -> None:
        raise PermissionError(13, "Permission denied", str(self))

    with make_system(frames=1) as system, monkeypatch.context() as patched:
        with_clips(system, clip)
        patched.setattr(Path, "unlink", not_yours)
        happened, _ = system.poll(0.0)
        (trouble,) = (what for what in happened if what.kind == "trouble")
        assert isinstance(trouble.error, OutputError) and CLIP in trouble.text
