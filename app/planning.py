"""gallery cluster plan: what a gallery of so many people costs on a cluster."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import asdict

from app import values
from app.opened import add_json, print_json, table
from checkpoints.errors import SettingsError
from pipeline.gallery import sizing
from pipeline.gallery.sizing import Demand, Machine, Sizing

_DEMAND, _MACHINE = Demand(), Machine()
_EXAMPLES = """examples:
  gallery cluster plan --people 10000000 --cameras 1000
  gallery cluster plan --people 200000 --dim 512 --cutout-bytes 0
  gallery cluster plan --node-memory-gb 128 --node-cores 32 --node-cost 400

How it is reckoned, and what was measured, is in docs/cluster.md.
"""
_Flag = tuple[str, str, Callable[[str], object], object, str]
_DEMAND_FLAGS: tuple[_Flag, ...] = (
    ("people", "N", values.whole(1, 10**9), _DEMAND.people, "people who are known"),
    ("pictures_each", "N", values.whole(1, 1000), _DEMAND.pictures_each, "pictures of each"),
    ("dim", "N", values.whole(8, 4096), _DEMAND.dim, "numbers of an embedding: 128 of SFace and dlib, 512 of FaceNet"),
    ("cutout_bytes", "N", values.whole(0, 10**6), _DEMAND.cutout_bytes, "bytes of a cut-out; 0: none are kept"),
    ("cameras", "N", values.whole(1, 10**6), _DEMAND.cameras, "cameras that ask the cluster"),
    ("faces_per_hour", "N", values.number(0, 10**6), _DEMAND.faces_per_hour, "new faces in front of one camera"),
    ("shots", "N", values.number(0.1, 100), _DEMAND.shots, "looks of a face that are searched for"),
    ("peak", "N", values.number(1, 100), _DEMAND.peak, "how much more comes in the busiest minute"),
)
_MACHINE_FLAGS: tuple[_Flag, ...] = (
    ("memory_gb", "GB", values.number(1, 10**5), _MACHINE.memory_gb, "memory of a node"),
    ("disk_gb", "GB", values.number(1, 10**6), _MACHINE.disk_gb, "disk of a node"),
    ("cores", "N", values.whole(1, 1024), _MACHINE.cores, "processor cores of a node"),
    ("reads_per_s", "N", values.number(1, 10**8), _MACHINE.reads_per_s, "reads a second from the disk of a node"),
    ("cost", "X", values.number(0, 10**6), _MACHINE.cost, "what a node costs a month, in any money"),
)
_CLUSTER_FLAGS: tuple[_Flag, ...] = (
    ("nodes", "N", values.whole(1, 500), "the fewest that can do it", "nodes of the cluster"),
    ("shards", "N", values.whole(1, 1000), "2 for each node, at most 12", "parts of the gallery; fewer are less work"),
    ("replicas", "N", values.whole(1, 10), 2, "nodes that have each part of the gallery"),
)


def add_parser(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = verbs.add_parser(
        "plan",
        help="nodes, memory, disk, network, searches a second and cost for so many people and cameras",
        description="What a gallery costs on a cluster: arithmetic, nobody is asked.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    for prefix, flags in (("", _DEMAND_FLAGS), ("node_", _MACHINE_FLAGS), ("", _CLUSTER_FLAGS)):
        for name, metavar, _, default, text in flags:
            flag = f"--{prefix}{name}".replace("_", "-")
            shown = f"{default:g}" if isinstance(default, float) else default
            parser.add_argument(flag, dest=prefix + name, metavar=metavar, help=f"{text} ({shown})")
    add_json(parser)
    parser.set_defaults(command=plan_command)


def plan_command(args: argparse.Namespace) -> int:
    demand = Demand(**_given(args, _DEMAND_FLAGS, ""))  # type: ignore[arg-type]
    machine = Machine(**_given(args, _MACHINE_FLAGS, "node_"))  # type: ignore[arg-type]
    plan = sizing.sized(demand, machine, **_given(args, _CLUSTER_FLAGS, ""))  # type: ignore[arg-type]
    short = sizing.shortages(plan, machine)
    if args.json:
        print_json({"demand": asdict(demand), "node": asdict(machine), **asdict(plan), "shortages": short})
    else:
        print(plan_table(plan, machine))
        for sentence in short:
            print(f"not enough: {sentence}")
    return 1 if short else 0


def plan_table(plan: Sizing, machine: Machine) -> str:
    def each(total: float) -> float:
        return round(total / plan.nodes, 1)

    listed = f"{plan.listed_per_s:,.0f} pictures a second"

    rows = [
        ("nodes", f"{plan.nodes}", "the cluster goes on when one of them is lost"),
        ("pictures", f"{plan.points:,}", f"in {plan.shards} shards, each on {plan.replicas} nodes"),
        ("memory", f"{plan.memory_gb:,.1f} GB", f"{each(plan.memory_gb)} of {machine.memory_gb:g} GB of each node"),
        ("disk", f"{plan.disk_gb:,.0f} GB", f"{each(plan.disk_gb)} of {machine.disk_gb:g} GB of each node"),
        ("searches", f"{plan.asked_per_s:,.0f} /s", f"in the busiest minute; {plan.searches_per_s:,.0f} can be done"),
        ("network", f"{plan.request_mbit_s:,.0f} Mbit/s", "between the stations and the cluster"),
        ("", f"{plan.between_mbit_s:,.0f} Mbit/s", "between the nodes"),
        ("regulars", f"{plan.follow_per_s:,.0f} /s", f"requests for them; {listed}, {plan.follow_mbit_s:,.0f} Mbit/s"),
        ("disk reads", f"{plan.reads_per_s:,.0f} /s", f"of a node, of {plan.vectors_gb:,.0f} GB what is not cached"),
        (
            "local copy",
            f"{plan.copy_gb:,.0f} GB",
            f"on each station; {plan.copy_without_cutouts_gb:,.0f} without cut-outs",
        ),
        ("cost", f"{plan.cost:,.0f} a month", f"at {machine.cost:g} for a node"),
    ]
    return table(("what", "in all", ""), rows)


def _given(args: argparse.Namespace, flags: tuple[_Flag, ...], prefix: str) -> dict[str, object]:
    found = ((name, parse, getattr(args, prefix + name)) for name, _, parse, _, _ in flags)
    return {
        name: _value(f"--{prefix}{name}".replace("_", "-"), parse, text)
        for name, parse, text in found
        if text is not None
    }


def _value(flag: str, parse: Callable[[str], object], text: str) -> object:
    try:
        return parse(text)
    except ValueError as error:
        raise SettingsError(
            "The plan cannot be reckoned.", saw=f"{flag} {text} {error}", fix="see gallery cluster plan --help"
        ) from error
