"""What the machines of a real cluster of Ray are asked; two nodes on this machine, one of them is lost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest

from app.fleet.barred import Barred, checksum
from app.fleet.collect import Collecting
from app.fleet.front import Front, Pages
from app.fleet.one_camera import folder_of
from pipeline.config import CollectorConfig
from pipeline.event_log import EventLog
from pipeline.gallery.sightings import Sighting
from pipeline.gallery.unknowns import Shot, Unknowns
from pipeline.outlets.ledger import Ledger
from pipeline.outlets.store import Store
from pipeline.outlets.stored import Wanted
from tests.app.fleet.made_up import SECRET, TOKEN, face

pytest.importorskip("ray", reason="needs the extra fleet")

from app.fleet import cluster
from app.fleet.chores import Chores
from testbench.ray_nodes import Nodes

# Ray leaves sockets and processes to be cleaned up with its own.
pytestmark = pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::DeprecationWarning", "ignore::FutureWarning"
)
SETTLE_S = 120.0


@pytest.fixture
def machines(tmp_path: Path) -> Iterator[Nodes]:
    (tmp_path / "shared").mkdir()
    made = Nodes(tmp_path, tmp_path / "shared", tmp_path / "shared")
    for _ in range(2):
        made.add(cpus=1)
    cluster.connect(made.address)
    yield made
    cluster.disconnect()
    made.close()


def left(data_dir: Path, person: int) -> None:
    """By a camera that has seen Ann and Bob, and somebody nobody knows."""
    camera = f"door{person}"
    folder = folder_of(data_dir, camera)
    log = EventLog(folder / "events.jsonl", run="2026-01-31T12:00:00.000Z-aa")
    for frame, name in enumerate(("Ann", "Bob")):
        told = face(frame, camera=camera, track=frame, name=name)
        log.append({key: value for key, value in told.items() if key not in ("run", "uid")})
    log.close()
    Ledger(Store(folder / "events").database, "collector", is_told_all=True).begin()
    (folder / "gallery").mkdir()
    unknowns = Unknowns(folder / "gallery")
    shot = Shot(np.eye(4, dtype=np.float32)[person], "2026-01-31T12:00:00.000Z", 0.8, None)
    unknowns.keep(Sighting(str(uuid4()), "", camera, f"{camera}/1/1", shot.time, shot.time), [shot], "s")
    unknowns.close()


def test_all_machines_tell_and_forget_and_who_does_not_answer_is_told(
    machines: Nodes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(2):
        left(machines.data_dir(number), number)
    nodes, chores = list(cluster.nodes().values()), Chores()
    assert sorted(int(one.faces.argmax()) for one in chores.met(nodes, "2026-01-01T00:00:00.000Z")) == [0, 1]
    assert chores.met(nodes, "2999-01-01T00:00:00.000Z") == []

    collecting = Collecting(tmp_path / "store")
    front = Front("127.0.0.1", 0, Pages(collecting.take, dict, str, str), secret=SECRET, token=TOKEN)
    config = CollectorConfig(f"http://127.0.0.1:{front.port}/events", SECRET)
    for node in nodes:
        chores.sweep(node, config, [], {"EVENTS_DAYS": "3650"}, [Barred(checksum("Bob"), "2026-02-01")])
    chores.settle(SETTLE_S)
    front.close()
    assert [event.body["name"] for event in collecting.store.all(Wanted())] == ["Ann", "Ann"]

    machines.kill(1)
    found = chores.forget(nodes, "Ann")
    assert sorted(one.events for one in found) == [0, 1]
    (missed,) = [missed for one in found for missed in one.missed]
    assert missed.startswith(nodes[0].address)
    assert capsys.readouterr().err == ""
