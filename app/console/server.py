"""The console's process, beside the way of the frames: it looks on, and answers browsers and programs."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from dataclasses import replace

import cv2
import uvicorn

from app.addresses import is_loopback
from app.console import port
from app.console.application import create
from app.console.arrivals import Arrivals
from app.console.figures import Figures
from app.console.health import Health
from app.console.held import HeldGallery
from app.console.live import Live
from app.console.login import Keys, Login
from app.console.machine import Machine
from app.console.models import Models
from app.console.sessions import Sessions
from app.console.state import State
from app.console.watching import Watching
from app.settings import Settings
from pipeline.outlets.store import Store
from pipeline.outlets.stored import Wanted
from pipeline.side import SideContext
from pipeline.topic import Pulse

_NICE = 5  # people wait for a page more patiently than cameras for a stage
_BEAT_S = 0.25
_PATIENCE_S = 1  # for open connections at the end
_MOST_CONNECTIONS = 300


def open_side(context: SideContext) -> Console:
    return Console(context)


class Console:
    def __init__(self, context: SideContext) -> None:
        chosen = context.options
        assert isinstance(chosen, Settings)
        self._socket = port.listening(chosen.console.host, chosen.console.port)
        _be_modest()
        number = self._socket.getsockname()[1]
        self._state = state_of(context, chosen, number)
        if context.generation == 0:
            context.say(f"listening at {_address(chosen.console.host, number)}")

    def run(self, pulse: Pulse) -> None:
        self._state.watching.start()
        config = uvicorn.Config(
            create(self._state),
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            ws="none",
            timeout_graceful_shutdown=_PATIENCE_S,
            limit_concurrency=_MOST_CONNECTIONS,
        )
        asyncio.run(_serve(uvicorn.Server(config), self._socket, pulse))

    def close(self) -> None:
        self._state.watching.close()
        self._state.gallery.close()
        self._socket.close()


async def _serve(server: uvicorn.Server, listening: socket.socket, pulse: Pulse) -> None:
    """The heart beats on the event loop, so that one that hangs is noticed."""
    serving = asyncio.create_task(server._serve([listening]))  # `serve` would take the signals, which are the parent's
    while not serving.done() and not pulse.stopping:
        pulse.beat()
        await asyncio.wait((serving,), timeout=_BEAT_S)
    server.should_exit = True
    await serving


def state_of(context: SideContext, chosen: Settings, number: int) -> State:
    """`chosen`, but with the gallery that the run really has: the demo brings its own."""
    config, console = context.config, chosen.console
    chosen = replace(chosen, gallery=replace(chosen.gallery, path=config.gallery.path))
    assert config.outlets is not None
    live, figures, sessions = Live(), Figures(), Sessions()
    watching = Watching(context.rings, config.cameras, live, figures, fps=console.fps)
    machine = Machine(context.board, context.processes, config.supervise)
    gallery, store = HeldGallery(config.gallery.path), Store(config.outlets.store, config.outlets.seal)
    keys = Keys(console.password, console.viewer_password, console.token, console.viewer_token)
    names = [camera.name for camera in config.cameras]
    health = Health(watching, figures, machine, stale_s=console.stale_s, told=lambda: _told_of_cameras(store, names))
    return State(
        chosen=chosen,
        gallery_config=config.gallery,
        only_loopback=is_loopback(console.host),
        port=number,
        login=Login(keys),
        sessions=sessions,
        watching=watching,
        live=live,
        figures=figures,
        machine=machine,
        health=health,
        gallery=gallery,
        models=Models(chosen, gallery),
        store=store,
        arrivals=Arrivals(store),
    )


def _told_of_cameras(store: Store, names: list[str]) -> dict[str, str]:
    last = {name: store.events(Wanted(camera=name, kind="camera"), limit=1) for name in names}
    return {name: str(found[0].body.get("state")) for name, found in last.items() if found}


def _be_modest() -> None:
    """What the console does must not be felt by the stages."""
    cv2.setNumThreads(1)
    if sys.platform != "win32":
        os.nice(_NICE)


def _address(host: str, number: int) -> str:
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{number}/"
