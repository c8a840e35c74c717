"""Whether the run does its work: not only that processes are there, but that pictures come through."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from app.console.figures import Figures
from app.console.machine import Machine
from app.console.watching import Watching
from pipeline.config import CameraConfig

CameraState = Literal["starting", "live", "stale", "reconnecting", "ended"]


@dataclass(frozen=True, slots=True)
class CameraSeen:
    """age_s  of the newest picture"""

    name: str
    state: CameraState
    age_s: float | None
    fps: float
    size_wh: tuple[int, int] | None
    source: str


class Health:
    """told  camera → what its last event says: up, lost, reconnecting"""

    def __init__(
        self,
        watching: Watching,
        figures: Figures,
        machine: Machine,
        *,
        stale_s: float,
        told: Callable[[], dict[str, str]],
    ) -> None:
        self._watching = watching
        self._figures = figures
        self._machine = machine
        self._stale_s = stale_s
        self._told = told

    def cameras(self) -> list[CameraSeen]:
        told = self._told() if any(map(self._is_late, self._watching.cameras)) else {}
        return [self._camera(camera, told.get(camera.name)) for camera in self._watching.cameras]

    def problems(self) -> list[str]:
        """What is wrong, in words; nothing when all is well."""
        found = [
            f"{name} is {state}"
            for name, state in self._machine.states().items()
            if state in ("dead", "silent", "resting")
        ]
        for camera in self.cameras():
            if camera.state in ("stale", "reconnecting"):
                found.append(f"{camera.name} is {camera.state}: no picture for {camera.age_s or 0:.0f} s")
            elif camera.state == "live" and (late_s := self._held_up_s(camera.name)) > self._stale_s:
                found.append(f"pictures of {camera.name} come in, but none came through for {late_s:.0f} s")
        if not self._watching.well:
            found.append("the console has lost sight of the pipeline")
        return found

    def _camera(self, camera: CameraConfig, told: str | None) -> CameraSeen:
        seen = self._watching.captured(camera.name)
        age_s = None if seen.age_s is None else round(seen.age_s, 3)
        size_wh = None if seen.frame is None else seen.frame.size_wh
        return CameraSeen(
            camera.name, self._state(camera, told), age_s, self._figures.fps(camera.name), size_wh, camera.shown
        )

    def _state(self, camera: CameraConfig, told: str | None) -> CameraState:
        seen = self._watching.captured(camera.name)
        if seen.ended:
            return "ended"
        if self._is_late(camera):
            return "reconnecting" if told in ("lost", "reconnecting") else "stale"
        return "starting" if seen.age_s is None else "live"

    def _is_late(self, camera: CameraConfig) -> bool:
        seen = self._watching.captured(camera.name)
        return not seen.ended and seen.age_s is not None and seen.age_s > self._stale_s

    def _held_up_s(self, camera: str) -> float:
        return self._figures.age_s(camera) or 0.0
