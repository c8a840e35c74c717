from __future__ import annotations

import textwrap
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.clock import now_ns
from pipeline.config import CameraConfig, CaptureConfig, OutputConfig, RunConfig, SuperviseConfig
from pipeline.messages import Shown
from pipeline.system import System
from pipeline.watched import Happened
from pipeline.wiring import STAGES, StageRow
from testbench.passing import CROP_PX

PATIENCE_S = 60.0


class Watcher:
    """Polls a system and keeps what it said."""

    def __init__(self, system: System) -> None:
        self.system = system
        self.happened: list[Happened] = []
        self.shown: list[Shown] = []

    def until(self, what: Callable[[], object]) -> None:
        """Until it is true, or nothing runs any more; too long is a failure."""
        start = now_ns()
        while not what() and self.system.supervisor.running:
            assert now_ns() - start < PATIENCE_S * 1e9, f"still waiting; so far {self.happened}"
            happened, shown = self.system.poll(0.1)
            self.happened += happened
            self.shown += shown
        _, shown = self.system.poll(0.0)
        self.shown += shown

    def kinds(self) -> list[tuple[str, str]]:
        return [(h.kind, h.process) for h in self.happened if h.kind != "frames"]

    def seqs(self, camera: str = "cam0") -> list[int]:
        return [each.ref.seq for each in self.shown if each.ref.camera == camera]


MakeSystem = Callable[..., System]


@pytest.fixture
def watch() -> Callable[[System], Watcher]:
    return Watcher


@pytest.fixture
def make_system() -> MakeSystem:
    """A system of the stages in `testbench.passing`, some of them replaced. live: cameras that come back."""

    def make(
        *,
        cameras: int = 1,
        frames: int | None = None,
        capture: CaptureConfig | None = None,
        supervise: SuperviseConfig | None = None,
        fused: bool = False,
        live: tuple[str, ...] = (),
        modules: dict[str, str] | None = None,
    ) -> System:
        config = RunConfig(
            cameras=tuple(CameraConfig(f"cam{n}", "demo", "demo", live=f"cam{n}" in live) for n in range(cameras)),
            placement="fused" if fused else "split",
            capture=capture or CaptureConfig(size_wh=(320, 180), frames=frames),
            supervise=supervise or SuperviseConfig(),
            output=OutputConfig(),
        )
        stages: tuple[StageRow, ...] = tuple(
            replace(row, module=(modules or {}).get(row.name, "testbench.passing")) for row in STAGES
        )
        return System(config, CROP_PX, stages)

    return make


@pytest.fixture
def write_stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], str]:
    """A stage module made of source text: it replaces `work` of the passing stage."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def write(name: str, body: str) -> str:
        text = textwrap.dedent(
            """
            import os, signal, threading
            from checkpoints.errors import UserError
            from testbench.passing import Passing

            def open_stage(context):
                return Misbehaving(context)

            class Misbehaving(Passing):
                def __init__(self, context):
                    super().__init__(context)
                    self.context = context

                def work(self, records):
                    seq, generation = records[0].ref.seq, self.context.generation
            """
        )
        (tmp_path / f"{name}.py").write_text(
            text + textwrap.indent(textwrap.dedent(body), " " * 8) + "\n        return super().work(records)\n"
        )
        return name

    return write
