"""`fleet`: cameras on many machines.

python -m app.main fleet node --head --site hall              this machine is the first of the cluster
python -m app.main fleet node --address 10.0.0.1:6379         this machine is one more of it
python -m app.main fleet up --cameras cameras.toml            all cameras of the file, and no others
python -m app.main fleet status                               what each of them does, and where
python -m app.main fleet move door 10.0.0.2                   to another machine
python -m app.main fleet drain 10.0.0.2                       no camera on this machine (--back: again)
python -m app.main fleet logs door                            what its run has said
python -m app.main fleet journeys Ann                         from camera to camera (--unknown: those without a name)
python -m app.main fleet forget Ann                           what cameras and store keep of her is erased
python -m app.main fleet down                                 all of them end
"""

from __future__ import annotations

import argparse
import json
import secrets
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tqdm import tqdm

from app import flags, settings, values
from app.extra import need_fleet
from app.fleet import joining, keys, overview, roster, travelling
from app.opened import add_yes, is_wished
from app.settings import Settings
from checkpoints.errors import SettingsError

# Of one machine or one run; the fleet has its own.
_NOT_PASSED_ON = (
    "DATA_DIR", "VIDEO_SOURCE", "VIDEO_NAME", "CAMERAS_FILE", "CAMERA_USER", "CAMERA_PASSWORD", "FRAMES",
    "DISPLAY_MODE", "RECORD", "CLIPS", "EVENTS", "REPORT_FILE", "TRACE_FILE", "GALLERY_DIR",
    "ENCRYPTION_KEY", "ENCRYPTION_KEY_FILE", "CONSOLE_HOST", "CONSOLE_PORT", "MQTT_URL", "WEBHOOK_URL",
    "FLEET_PORT", "FLEET_TOKEN", "FLEET_KEY",
)  # fmt: skip
_WAIT_S = 180.0
_STORE_S = 60.0  # to take somebody out of the fleet's store
_DOWN_S = 150.0
_MOST_LINES = 500  # that a warden keeps


def add_parsers(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    fleet = commands.add_parser(
        "fleet", help="cameras on many machines", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False,
    )  # fmt: skip
    kinds = fleet.add_subparsers(required=True, metavar="COMMAND")
    up = _add(kinds, "up", _up, "the cameras of a file, and no others, run on the machines of the cluster")
    up.add_argument("--cameras", type=Path, required=True, metavar="FILE", help="cameras.toml (docs/fleet.md)")
    up.add_argument(
        "--again", action="store_true", help="restart also what has not changed, one camera after the other"
    )
    up.add_argument("--no-wait", action="store_true", help="do not wait until the cameras are live")
    flags.add_flags(up, flags.MODEL_FLAGS)
    status = _add(kinds, "status", _status, "what each camera does, and where")
    status.add_argument("--json", action="store_true", help="for programs")
    move = _add(kinds, "move", _move, "a camera to another machine")
    move.add_argument("camera")
    move.add_argument("machine", help="its address, or the beginning of its id")
    drain = _add(kinds, "drain", _drain, "no cameras on this machine: they move away, one after the other")
    drain.add_argument("machine", help="its address, or the beginning of its id")
    drain.add_argument("--back", action="store_true", help="it may have cameras again")
    logs = _add(kinds, "logs", _logs, "what the run of a camera has said")
    logs.add_argument("camera")
    logs.add_argument("--lines", type=_lines, default=50, metavar="N", help="the last N (default %(default)s)")
    told = _add(kinds, "journeys", travelling.journeys_command, "who went where, from camera to camera")
    travelling.add_flags(told)
    forget = _add(kinds, "forget", _forget, "erase what all cameras and the store keep of somebody")
    forget.description = (
        "Erase somebody's events, their pictures and sightings on all machines of the cluster and in the fleet's "
        "store. The gallery first: `gallery delete NAME`. A name from before a renaming is another NAME: say it again "
        "with that one. Exit code 1: there was nothing, or a machine is away; it is asked when it comes back. "
        "Recordings, clips and exports are yours to erase."
    )
    forget.add_argument("name", metavar="NAME")
    add_yes(forget)
    _add(kinds, "down", _down, "all cameras end, in order")
    node = kinds.add_parser("node", help="this machine becomes a part of the cluster", allow_abbrev=False)
    first = node.add_mutually_exclusive_group(required=True)
    first.add_argument("--head", action="store_true", help="the first machine")
    first.add_argument("--address", metavar="HOST:PORT", help="of the first machine")
    node.add_argument("--port", type=int, default=joining.PORT, help="of the first machine (default %(default)s)")
    node.add_argument("--site", type=_word, help="where it stands: cameras with this site come here first")
    node.add_argument("--cpus", type=float, help="processors that it offers to cameras (default: all)")
    node.set_defaults(command=_node)


def _add(
    kinds: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    run: Callable[[argparse.Namespace], int],
    text: str,
) -> argparse.ArgumentParser:
    made = kinds.add_parser(name, help=text, allow_abbrev=False)
    made.add_argument(
        "--address", default="auto", help="HOST:PORT of the cluster's first machine (default: the one of this machine)"
    )
    made.set_defaults(command=lambda args: _connected(args, run))
    return made


def _connected(args: argparse.Namespace, run: Callable[[argparse.Namespace], int]) -> int:
    need_fleet("fleet")
    chosen = settings.read()
    joining.authorise(chosen.fleet.key or keys.brought(chosen.data_dir / "fleet", keys.CLUSTER))
    from app.fleet import cluster

    cluster.connect(args.address)
    try:
        return run(args)
    finally:
        cluster.disconnect()


def _up(args: argparse.Namespace) -> int:
    from app.fleet import cluster
    from app.fleet.charter import Charter

    given = flags.given(args)
    chosen = settings.read(given)
    found = roster.read(args.cameras, chosen.logins)
    folder = chosen.data_dir / "fleet"
    charter = Charter(
        folder=folder,
        host=cluster.here().address,
        port=chosen.fleet.port,
        secret=keys.kept(folder, keys.EVENTS),
        token=chosen.fleet.token or keys.kept(folder, keys.TOKEN),
    )
    control = cluster.begin_control(charter)
    again = secrets.token_hex(4) if args.again else ""
    wish = control.wish.remote(
        list(found), passed_on(settings.texts(given)), cpus=chosen.fleet.cpus, gpus=chosen.fleet.gpus, again=again
    )
    cluster.ask(wish)
    address = cluster.ask(control.collector.remote()).removesuffix("events")
    print(f"fleet: {address}  token: {cluster.ask(control.token.remote())}", file=sys.stderr)
    return 0 if args.no_wait else _wait(control, chosen)


def passed_on(texts: Mapping[str, str]) -> dict[str, str]:
    """The settings that all cameras share."""
    return {name: text for name, text in texts.items() if name not in _NOT_PASSED_ON}


def _wait(control: Any, chosen: Settings) -> int:  # noqa: ANN401
    """Until all cameras are live; Ctrl-C leaves them as they are."""
    from app.fleet import cluster

    until_s = time.monotonic() + max(_WAIT_S, chosen.supervise.start_timeout_s)
    view: overview.View = cluster.ask(control.view.remote())
    with tqdm(total=len(view.cameras), unit=" cameras", file=sys.stderr, disable=None, leave=False) as bar:
        while not view.is_settled and time.monotonic() < until_s:
            time.sleep(0.5)
            view = cluster.ask(control.view.remote())
            bar.n = view.well
            bar.refresh()
    print(overview.table(view))
    return 0 if view.is_settled else 1


def _status(args: argparse.Namespace) -> int:
    from app.fleet import cluster

    view = cluster.ask(cluster.control().view.remote())
    print(json.dumps(overview.as_json(view), indent=1) if args.json else overview.table(view))
    return 0 if view.is_settled else 1


def _move(args: argparse.Namespace) -> int:
    from app.fleet import cluster

    control = cluster.control()
    view = cluster.ask(control.view.remote())
    _check_camera(args.camera, view)
    node = _machine(args.machine, view)
    cluster.ask(control.pin.remote(args.camera, node.id))
    print(f"{args.camera} moves to {node.address}")
    return 0


def _drain(args: argparse.Namespace) -> int:
    from app.fleet import cluster

    control = cluster.control()
    node = _machine(args.machine, cluster.ask(control.view.remote()))
    cluster.ask(control.shut.remote(node.id, is_shut=not args.back))
    print(f"{node.address} may have cameras again" if args.back else f"{node.cameras} cameras leave {node.address}")
    return 0


def _logs(args: argparse.Namespace) -> int:
    from app.fleet import cluster

    control = cluster.control()
    _check_camera(args.camera, cluster.ask(control.view.remote()))
    print("\n".join(cluster.ask(control.log.remote(args.camera, args.lines))))
    return 0


def _forget(args: argparse.Namespace) -> int:
    from app.fleet import cluster
    from app.fleet.chores import FORGET_S

    if not is_wished(f"Erase all that the cameras of this fleet keep of {args.name}?", args):
        print("nothing was erased")
        return 1
    found = cluster.ask(cluster.control().forget.remote(args.name), timeout_s=FORGET_S + _STORE_S)
    where = "forgotten, but not everywhere" if found.missed else "forgotten"
    print(f"{args.name} is {where}; erased: {found.events} events, {found.sightings} sightings")
    for missed in found.missed:
        print(f"not yet: {missed}")
    return 0 if (found.events or found.sightings) and not found.missed else 1


def _down(_args: argparse.Namespace) -> int:
    from app.fleet import cluster

    control = cluster.control()
    try:
        cluster.ask(control.stop.remote(), timeout_s=_DOWN_S)
    finally:
        cluster.end_control(control)  # else the next `fleet up` would find one that does nothing any more
    print("the fleet is down")
    return 0


def _node(args: argparse.Namespace) -> int:
    need_fleet("fleet")
    chosen = settings.read()
    find = keys.kept if args.head else keys.brought
    joining.authorise(chosen.fleet.key or find(chosen.data_dir / "fleet", keys.CLUSTER))
    joining.join(joining.command(head=args.head, address=args.address, port=args.port, site=args.site, cpus=args.cpus))
    return 0


def _check_camera(name: str, view: overview.View) -> None:
    names = [camera.name for camera in view.cameras]
    if name not in names:
        raise SettingsError(
            "There is no such camera in the fleet.",
            saw=name + values.did_you_mean(name, names),
            fix=f"one of {', '.join(names)}",
        )


def _machine(text: str, view: overview.View) -> overview.NodeView:
    found = [node for node in view.nodes if text and (node.address == text or node.id.startswith(text))]
    if len(found) != 1:
        known = ", ".join(f"{node.address} ({node.id[:6]})" for node in view.nodes)
        raise SettingsError(
            "This is no machine of the fleet." if not found else "Several machines are meant.",
            saw=text,
            fix=f"one of {known}",
        )
    return found[0]


def _word(text: str) -> str:
    try:
        return values.word(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text} {error}") from error


def _lines(text: str) -> int:
    try:
        return values.whole(1, _MOST_LINES)(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text} {error}") from error
