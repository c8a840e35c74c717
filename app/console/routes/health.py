"""/healthz: for supervisors and load balancers, 200 or 503."""

from __future__ import annotations

from fastapi import APIRouter, Response

from app.console.routes.cameras import cameras_of
from app.console.run_schemas import Healthy, Outlet, StageHealth
from app.console.state import Asking, Here

router = APIRouter(tags=["health"])


@router.get("/healthz")
def healthz(state: Here, caller: Asking, response: Response) -> Healthy:
    """503 with what is wrong: a process that is dead or silent, a camera without a new picture. Who is not logged in
    is told the status alone.
    """
    problems = state.health.problems()
    response.status_code = 503 if problems else 200
    status = "failing" if problems else "ok"
    if caller.role is None:
        return Healthy(status=status, problems=[], stages=[], cameras=[], outlets=[])
    restarts = state.machine.restarts()
    return Healthy(
        status=status,
        problems=problems,
        stages=[StageHealth(name=n, state=s, restarts=restarts[n]) for n, s in state.machine.states().items()],
        cameras=cameras_of(state),
        outlets=[
            Outlet(name=d.name, state=d.state, said=d.said, delivered=d.delivered, dropped=d.dropped, waiting=d.waiting)
            for d in state.store.deliveries()
        ],
    )
