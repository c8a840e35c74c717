"""All that the console's answers are made of; each part works without the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from app import audit
from app.audit import Audit
from app.console.arrivals import Arrivals
from app.console.figures import Figures
from app.console.gate import Caller
from app.console.health import Health
from app.console.held import HeldGallery
from app.console.live import Live
from app.console.login import Login
from app.console.machine import Machine
from app.console.models import Models
from app.console.sessions import Sessions
from app.console.watching import Watching
from app.settings import Settings
from pipeline.config import GalleryConfig
from pipeline.gallery.unknowns import Unknowns
from pipeline.outlets.store import Store


@dataclass(frozen=True, slots=True)
class State:
    """only_loopback  whether the console is reached from this machine only; port: part of the cookie's name"""

    chosen: Settings
    gallery_config: GalleryConfig
    only_loopback: bool
    port: int
    login: Login
    sessions: Sessions
    watching: Watching
    live: Live
    figures: Figures
    machine: Machine
    health: Health
    gallery: HeldGallery
    models: Models
    store: Store
    arrivals: Arrivals

    def unknowns(self) -> Unknowns:
        """A new one for each use: it is not made to be shared between threads."""
        return Unknowns(self.gallery_config.path, seal=self.gallery_config.seal)

    def audit(self, caller: Caller) -> Audit:
        """Where it is written down what this one does."""
        return audit.of_console(self.chosen, caller.role or "", caller.address)

    @property
    def cookie(self) -> str:
        """Cookies do not know ports: each console of a machine needs a name of its own."""
        return f"facewire_{self.port}"


def _state(request: Request) -> State:
    state: State = request.app.state.console
    return state


def _caller(request: Request) -> Caller:
    caller: Caller = request.scope["caller"]
    return caller


Here = Annotated[State, Depends(_state)]
Asking = Annotated[Caller, Depends(_caller)]
