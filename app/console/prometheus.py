"""Which figures Prometheus is told. docs/grafana.json shows them."""

from __future__ import annotations

import shutil

from app.console.exposition import Exposition
from app.console.state import State
from checkpoints.errors import GalleryError

_CAMERA_STATES = ("starting", "live", "stale", "reconnecting", "ended")


def metrics_of(state: State) -> str:
    out = Exposition()
    _frames(out, state)
    _stages(out, state)
    _cameras(out, state)
    _gallery(out, state)
    _outlets(out, state)
    return out.text()


def _frames(out: Exposition, state: State) -> None:
    figures, captured = state.figures, state.watching.frames_captured()
    names = [camera.name for camera in state.watching.cameras]
    counts = (
        ("facewire_frames_captured_total", "Frames that a camera gave.", captured),
        ("facewire_frames_shown_total", "Frames that reached their end.", figures.frames),
        ("facewire_faces_total", "Faces in them.", figures.faces),
        ("facewire_identities_total", "Faces in them that have a name.", figures.named),
    )
    for name, text, counted in counts:
        out.counter(name, text, [({"camera": camera}, counted.get(camera, 0)) for camera in names])
    out.gauge("facewire_fps", "Frames a second, of the last seconds.", [({"camera": c}, figures.fps(c)) for c in names])
    tracks = [({"camera": name}, _tracks(state, name)) for name in names]
    out.gauge("facewire_tracks", "Faces that are in sight now.", tracks)
    out.gauge("facewire_live_viewers", "Browsers with a live picture.", [({}, state.live.followers)])


def _stages(out: Exposition, state: State) -> None:
    work, wait = dict(state.figures.work), dict(state.figures.wait)
    out.histogram("facewire_latency_seconds", "From capture to the end of draw.", [({}, state.figures.total)])
    out.histogram("facewire_stage_work_seconds", "Work in a stage.", [({"stage": n}, h) for n, h in work.items()])
    out.histogram(
        "facewire_stage_wait_seconds", "Waiting before a stage.", [({"stage": n}, h) for n, h in wait.items()]
    )
    dropped = [({"stage": name}, count) for name, count in state.watching.dropped().items()]
    out.counter("facewire_frames_dropped_total", "Frames that a stage never saw, or that were gone.", dropped)
    restarts = [({"process": name}, count) for name, count in state.machine.restarts().items()]
    out.counter("facewire_restarts_total", "How often a process was started again.", restarts)
    up = [
        ({"process": name}, int(seen in ("starting", "running", "ended")))
        for name, seen in state.machine.states().items()
    ]
    out.gauge("facewire_process_up", "1: alive, or ended as it should.", up)
    resting = [({"process": name}, int(seen == "resting")) for name, seen in state.machine.states().items()]
    out.gauge("facewire_process_resting", "1: it died too often, or its camera is away; it will be tried.", resting)


def _cameras(out: Exposition, state: State) -> None:
    seen = state.health.cameras()
    states = [({"camera": c.name, "state": s}, int(c.state == s)) for c in seen for s in _CAMERA_STATES]
    out.gauge("facewire_camera_state", "1 for the state that a camera is in.", states)
    ages = [({"camera": c.name}, c.age_s) for c in seen if c.age_s is not None]
    out.gauge("facewire_camera_age_seconds", "How old its newest picture is.", ages)
    out.gauge("facewire_healthy", "1: /healthz says ok.", [({}, int(not state.health.problems()))])


def _gallery(out: Exposition, state: State) -> None:
    """Left out while the gallery cannot be asked: an old figure would look like a new one."""
    try:
        with state.gallery() as gallery:
            people, pictures = len(gallery.people()), gallery.count()
    except GalleryError:
        return
    out.gauge("facewire_gallery_people", "People in the gallery.", [({}, people)])
    out.gauge("facewire_gallery_pictures", "Pictures in the gallery, those of strangers too.", [({}, pictures)])


def _outlets(out: Exposition, state: State) -> None:
    deliveries = state.store.deliveries()
    delivered = [({"outlet": one.name}, one.delivered) for one in deliveries]
    dropped = [({"outlet": one.name}, one.dropped) for one in deliveries]
    waiting = [({"outlet": one.name}, one.waiting) for one in deliveries]
    out.counter("facewire_events_delivered_total", "Events that an outlet has given on.", delivered)
    out.counter("facewire_events_dropped_total", "Events that were refused for good, or too old.", dropped)
    free = shutil.disk_usage(state.store.database.path.parent).free
    out.gauge("facewire_disk_free_bytes", "On the disk that keeps the events.", [({}, free)])
    out.gauge("facewire_events_waiting", "Events that wait for an outlet.", waiting)


def _tracks(state: State, camera: str) -> int:
    identities = state.watching.faces(camera)
    return 0 if identities is None else len(identities.faces)
