"""gallery cluster plan|create|move|check: one gallery for many cameras on a Qdrant cluster."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import asdict

from app import flags, planning, relocating
from app.cluster_flags import add_spread, asked_for, whole, wished
from app.opened import add_json, print_json, table
from app.settings import Settings
from checkpoints.errors import GalleryError
from engines.models import embedder_model
from pipeline.config import ServerConfig
from pipeline.gallery.opening import gallery_exists
from pipeline.gallery.spread import Laid, Spread, differences, faults

_EXAMPLES = """examples:
  gallery cluster plan --people 10000000 --cameras 1000
  gallery cluster create --server http://node1:6333,http://node2:6333,http://node3:6333
  gallery cluster move                                   the gallery on this disk, to the cluster of QDRANT_URL
  gallery cluster move --from http://old:6333            a server's
  gallery cluster check --compare                        is it well, and has it what this disk has?

docs/cluster.md tells more.
"""


def add_verbs(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = verbs.add_parser(
        "cluster",
        help="one gallery for many cameras on a Qdrant cluster: plan, create, move, check",
        description="One gallery for many cameras on a Qdrant cluster.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    own = parser.add_subparsers(required=True, metavar="plan|create|move|check")
    planning.add_parser(own)
    creating = _verb(own, "create", "lay out the collection: shards, replicas, INT8, indexes", create_command)
    flags.add_flags(creating, ["EMBEDDING_ENGINE"])
    add_spread(creating)
    creating.add_argument(
        "--pictures", metavar="N", help="how many there are to be; from a million on, indexes lie on the disk"
    )
    text = "bring a gallery to the cluster and compare what came; what was stopped goes on"
    relocating.add_flags(_verb(own, "move", text, relocating.move_command))
    checking = _verb(own, "check", "whether each node answers and each part is whole", check_command)
    checking.add_argument(
        "--compare", action="store_true", help="and every picture of this disk is there as it is here"
    )


def _verb(
    verbs: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    text: str,
    command: Callable[[argparse.Namespace], int],
) -> argparse.ArgumentParser:
    parser = verbs.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.", allow_abbrev=False)
    flags.add_flags(parser, flags.GALLERY_FLAGS)
    add_json(parser)
    parser.set_defaults(command=command)
    return parser


def create_command(args: argparse.Namespace) -> int:
    from pipeline.gallery.cluster import ensure_collection, laid, node_count, nodes_of

    chosen, server = asked_for(args)
    space, dim = _space(chosen)
    with nodes_of(server) as nodes:
        spread = wished(args, node_count(nodes), pictures=whole("--pictures", args.pictures) or 0)
        is_new = ensure_collection(nodes, server.collection, spread, dim=dim, space=space)
        found = laid(nodes, server.collection)
    if found is None:
        raise _missing(server)
    if args.json:
        print_json({"made": is_new, "space": space, "dim": dim, **_as_json(found)})
        return 0
    print(f"{server.collection} {'is made' if is_new else 'was there already'}, for {space} with {dim} numbers")
    print(laid_table(found))
    return 0


def check_command(args: argparse.Namespace) -> int:
    from pipeline.gallery.cluster import laid, nodes_of

    chosen, server = asked_for(args)
    with nodes_of(server) as nodes:
        found = laid(nodes, server.collection)
    if found is None:
        raise _missing(server)
    compared = relocating.compared_with_disk(chosen, server) if args.compare else None
    wrong = list(faults(found))
    if compared is not None and not compared.is_same:
        wrong.append("the pictures of this disk are not all there as they are here: gallery cluster move")
    today = Spread.of_nodes(max(peers or 1 for peers in found.nodes.values()), pictures=found.pictures)
    notes = list(differences(today, found.spread))
    if args.json:
        said = None if compared is None else asdict(compared)
        print_json({**_as_json(found), "faults": wrong, "notes": notes, "compared": said})
        return 1 if wrong else 0
    print(laid_table(found))
    for sentence in notes:
        print(f"one that is made today would be another: {sentence}")
    if compared is not None:
        print(f"compared with this disk: {compared.pictures} pictures, checksums {compared.here} and {compared.there}")
    print("\n".join(f"fault: {sentence}" for sentence in wrong) if wrong else "all is well")
    return 1 if wrong else 0


def laid_table(laid: Laid) -> str:
    spread = laid.spread
    nodes = [f"{url} {'does not answer' if peers is None else 'answers'}" for url, peers in laid.nodes.items()]
    rows = [
        ("nodes", "; ".join(nodes)),
        ("pictures", f"{laid.pictures:,}"),
        ("status", laid.status),
        ("shards", f"{spread.shards}, each on {spread.replicas}; {spread.confirmations} confirm a write"),
        ("vectors", "INT8 in memory" if spread.int8 else "as they are"),
        ("whole vectors", "on disk" if spread.vectors_on_disk else "in memory"),
        ("payloads", "on disk" if spread.payloads_on_disk else "in memory"),
        ("indexes", f"{', '.join(sorted(laid.indexed))}; {'on disk' if spread.indexes_on_disk else 'in memory'}"),
    ]
    return table(("what", "how"), rows)


def _space(chosen: Settings) -> tuple[str, int]:
    """Of the gallery on this disk; where there is none, of the embedder that is set."""
    if gallery_exists(chosen.gallery_dir):
        gallery = relocating.on_disk(chosen)
        gallery.close()
        return gallery.space, gallery.dim
    known = embedder_model(flags.engine_options(chosen)).known
    assert known.embedding_dim is not None
    return known.embedding_space, known.embedding_dim


def _missing(server: ServerConfig) -> GalleryError:
    return GalleryError(
        "There is no such collection.",
        saw=f"{server.url}, collection {server.collection}",
        fix="make it: gallery cluster create, or bring a gallery: gallery cluster move",
    )


def _as_json(laid: Laid) -> dict[str, object]:
    return {**asdict(laid), "indexed": sorted(laid.indexed)}
