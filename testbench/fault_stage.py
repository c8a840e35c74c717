"""Where a fault is played: what each kind needs around the run, and what the run is like."""

from __future__ import annotations

import importlib.util
import random
import signal
import sys
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from app import demo_gallery
from engines.models import embedder_model
from engines.options import EngineOptions
from pipeline.config import (
    CameraConfig,
    CaptureConfig,
    GalleryConfig,
    OutletsConfig,
    OutputConfig,
    RunConfig,
    ServerConfig,
    SuperviseConfig,
)
from pipeline.gallery.gallery import Picture
from pipeline.gallery.opening import open_gallery
from testbench.faults import HANG_S, Fault, FullDisk, GalleryAway, Kill, OtherClock, Pids, Slow

_PEER = Path(__file__).resolve().parents[1] / "tests" / "pipeline" / "gallery" / "qdrant_peer.py"


def run_config(folder: Path, engines: EngineOptions, server: ServerConfig | None) -> RunConfig:
    """Endless and live, with an event for each face of each frame."""
    config = RunConfig(
        cameras=(CameraConfig("cam0", "demo", "demo", live=True),),
        capture=CaptureConfig(size_wh=(640, 360), lossless=False, realtime_fps=25.0, loop=True),
        engines=engines,
        gallery=GalleryConfig(path=folder / "gallery", server=server),
        output=OutputConfig(events=folder / "events.jsonl", event_every_s=0.0, event_part_bytes=0),
        outlets=OutletsConfig(store=folder / "events", crops=False),
        supervise=SuperviseConfig(
            hang_timeout_s=HANG_S,
            camera_timeout_s=HANG_S,
            max_restarts=1000,
            longest_reconnect_s=2.0,  # it is hit again before it is well
            disk_reserve_mb=0.0,
        ),
    )
    demo_gallery.fill(config)
    return config


@dataclass(frozen=True, slots=True)
class Play:
    """missing  names of changes that have not reached where they should be; the program is over a fault when there
    are none
    """

    config: RunConfig
    fault: Callable[[Pids], Fault]
    missing: Callable[[], list[str]] = list


@contextmanager
def stage(kind: str, folder: Path, engines: EngineOptions, chance: random.Random, clock: Path | None) -> Iterator[Play]:
    """clock  the file that libfaketime reads the clock's leap from (`testbench.fault_table` loads it)"""
    if kind == "gallery":
        with _qdrant() as peer:
            enrolling = Enrolling(folder, engines, peer.collections)
            config = run_config(folder, engines, ServerConfig(peer.url, timeout_s=2.0))
            yield Play(config, lambda _: GalleryAway(peer.set_fault, enrolling), enrolling.missing)
        return
    config = run_config(folder, engines, None)
    if kind == "slow":
        yield Play(config, lambda pids: Slow(chance, pids))
    elif kind == "disk":
        yield Play(config, lambda _: FullDisk(folder))
    elif kind == "clock":
        assert clock is not None
        leap = clock.write_text
        yield Play(config, lambda _: OtherClock(leap))
    else:
        number = signal.SIGSTOP if kind == "stop" else signal.SIGKILL
        yield Play(config, lambda pids: Kill(chance, pids, number=number))


class Enrolling:
    """Enrols somebody new at the desk of the running program each time it is called."""

    def __init__(self, folder: Path, engines: EngineOptions, collections: Mapping[str, Any]) -> None:
        self._path = folder / "gallery"
        self._known = embedder_model(engines).known
        self._collections = collections
        self.names: list[str] = []

    def __call__(self) -> str:
        assert self._known.embedding_dim is not None
        vector = np.random.default_rng(len(self.names)).normal(size=self._known.embedding_dim).astype(np.float32)
        name = f"person-{len(self.names)}"
        gallery = open_gallery(self._path, space=self._known.embedding_space, dim=self._known.embedding_dim)
        try:
            gallery.add(name, [Picture(vector / np.linalg.norm(vector), uuid.uuid4().hex, 0.9, None, name)])
        finally:
            gallery.close()
        self.names.append(name)
        return name

    def missing(self) -> list[str]:
        """Those of whom the server was never told."""
        told = {p.payload.get("person") for each in self._collections.values() for p in each.points.values()}
        return [name for name in self.names if name not in told]


@contextmanager
def _qdrant() -> Iterator[Any]:
    """The stand-in that the tests of the gallery have: it holds each request against Qdrant's own description."""
    spec = importlib.util.spec_from_file_location("qdrant_peer", _PEER)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    peer = module.QdrantPeer()
    peer.set_fault = lambda fault: setattr(peer, "fault", fault)
    try:
        yield peer
    finally:
        peer.fault = ""
        peer.close()
