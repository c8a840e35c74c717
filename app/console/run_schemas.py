"""What the API tells of the run itself: cameras, latency, settings, health."""

from __future__ import annotations

from pydantic import BaseModel

from app.console.figures import Way
from app.console.machine import ProcessSeen


class Camera(BaseModel):
    name: str
    state: str
    age_s: float | None
    fps: float
    size: tuple[int, int] | None
    source: str


class Percentiles(BaseModel):
    p50: float
    p95: float
    p99: float


class StageLatency(BaseModel):
    stage: str
    wait: Percentiles
    work: Percentiles


class Latency(BaseModel):
    """Milliseconds; recent: the last frames, the newest last"""

    fps: float
    frames: int
    seconds: float
    total: Percentiles
    stages: list[StageLatency]
    drops: dict[str, int]
    processes: list[ProcessSeen]
    recent: list[Way]


class Setting(BaseModel):
    name: str
    value: str
    default: str
    help: str
    flag: str | None
    given: bool


class SettingsSection(BaseModel):
    section: str
    settings: list[Setting]


class StageHealth(BaseModel):
    name: str
    state: str
    restarts: int


class Outlet(BaseModel):
    """Where events go besides the file, and how far that is"""

    name: str
    state: str
    said: str
    delivered: int
    dropped: int
    waiting: int


class Healthy(BaseModel):
    """Without login only the status is told."""

    status: str
    problems: list[str]
    stages: list[StageHealth]
    cameras: list[Camera]
    outlets: list[Outlet]
