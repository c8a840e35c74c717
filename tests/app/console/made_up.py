"""What a made-up console tells. A test may change it at any moment."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any

Answer = tuple[int, object]
Json = dict[str, Any]


def face(track: int, name: str | None, left: int = 220) -> Json:
    state = "unknown" if name is None else "known"
    box = [left, 60, left + 120, 200]
    return {"track": track, "box": box, "name": name, "state": state, "score": 0.5, "expected": False}


def event(number: int, name: str | None, *, why: bool = True) -> Json:
    shots = [{"frame": 3, "quality": 0.8, "nearest": [["Ada", 0.61, "p1"], [None, 0.2, "p2"]]}]
    reason = {"threshold": 0.36, "margin": 0.05, "runner_up": "Bob", "shots": shots}
    return {
        "id": number,
        "type": "identity",
        "t": f"2026-05-01T10:{number % 60:02d}:00.000Z",
        "camera": "door" if number % 2 else "yard",
        "frame": number,
        "track": number,
        "name": name,
        "state": "unknown" if name is None else "known",
        "crop": True,
        "why": reason if why else None,
        **dict.fromkeys(("score", "margin", "quality"), 0.61),
        "votes": 4,
    }


def person(name: str, pictures: int = 2) -> Json:
    return {"id": f"id-{name}", "name": name, "pictures": pictures, "since": "2026-01-05T08:00:00Z"}


def unknown(name: str) -> Json:
    times = {"first": "2026-05-01T10:00:00Z", "last": "2026-05-01T10:05:00Z"}
    return {"id": name, "faces": 3, "sightings": 2, "cameras": ["door"], "picture": True, **times}


def camera(name: str, state: str = "live", age_s: float | None = 0.04) -> Json:
    return {"name": name, "state": state, "age_s": age_s, "fps": 25.0, "size": [640, 360], "source": "rtsp://door/1"}


def percentiles(p50: float) -> Json:
    return {"p50": p50, "p95": 2 * p50, "p99": 3 * p50}


def latency() -> Json:
    stages = ["capture", "detect", "align", "recognise", "lookup", "draw"]
    process = {"state": "running", "restarts": 0, "cpu_percent": 12.5, "memory_mb": 80.0}
    visits = [{"stage": one, "from_ms": 2.0 * n, "to_ms": 2.0 * n + 1.5} for n, one in enumerate(stages)]
    return {
        "fps": 24.9,
        "frames": 1000,
        "seconds": 40.0,
        "total": percentiles(11.5),
        "drops": {"door": 3, "yard": 0},
        "stages": [{"stage": one, "wait": percentiles(0.5), "work": percentiles(1.5)} for one in stages],
        "processes": [{"name": one, **process} for one in stages],
        "recent": [{"camera": "door", "seq": n, "total_ms": 11.5, "visits": visits} for n in range(20)],
    }


def health() -> Json:
    stages = [{"name": "detect", "state": "running", "restarts": 0}]
    outlet = {"name": "mqtt", "state": "on", "said": "connected", "delivered": 5, "dropped": 0, "waiting": 1}
    return {"status": "ok", "problems": [], "stages": stages, "cameras": [camera("door")], "outlets": [outlet]}


def settings() -> list[Json]:
    one = {"name": "THREADS", "value": "2", "default": "1", "help": "CPU threads", "flag": "--threads N", "given": True}
    return [{"section": "Models and how they run", "settings": [one]}]


@dataclass
class State:
    """What the console tells. `wrong` makes a path fail: path → (status, what it says)."""

    cameras: list[Json] = field(default_factory=lambda: [camera("door"), camera("yard", "stale", 12.0)])
    faces: list[Json] = field(default_factory=lambda: [face(7, None), face(8, "Ada", left=420)])
    people: dict[str, Json] = field(default_factory=lambda: {f"id-{n}": person(n) for n in ("Ada", "Bob")})
    unknowns: dict[str, Json] = field(default_factory=lambda: {n: unknown(n) for n in ("u1", "u2")})
    events: list[Json] = field(default_factory=lambda: [event(n, "Ada" if n % 3 else None) for n in range(60, 0, -1)])
    latency: Json = field(default_factory=latency)
    health: Json = field(default_factory=health)
    refused: list[Json] = field(default_factory=list)
    role: str = "admin"
    password: str | None = None
    frames: int = 10**9
    wrong: dict[str, Answer] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    arrived: threading.Condition = field(default_factory=threading.Condition)
    news: list[Json] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)

    def happen(self, new: Json) -> None:
        with self.arrived:
            self.events.insert(0, new)
            self.news.append(new)
            self.arrived.notify_all()

    def enrol(self, name: str, pictures: int) -> Json:
        known = self.people.setdefault(f"id-{name}", person(name, 0))
        known["pictures"] += pictures
        return known
