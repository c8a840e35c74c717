"""What the commands of a cluster are told: which one it is, and how the gallery is to lie on it."""

from __future__ import annotations

import argparse

from app import flags, settings, values
from app.settings import Settings
from checkpoints.errors import SettingsError
from pipeline.config import ServerConfig
from pipeline.gallery.spread import Spread


def add_spread(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--shards", metavar="N", help="parts of the collection (2 for each node, at most 12)")
    parser.add_argument("--replicas", metavar="N", help="nodes that have each part (2)")


def asked_for(args: argparse.Namespace) -> tuple[Settings, ServerConfig]:
    chosen = settings.read(flags.given(args))
    server = flags.gallery_config(chosen).server
    if server is None:
        raise SettingsError(
            "No cluster is named.",
            saw="QDRANT_URL is empty",
            fix="name its nodes with commas between: --server http://node1:6333,http://node2:6333",
        )
    return chosen, server


def wished(args: argparse.Namespace, nodes: int, *, pictures: int) -> Spread:
    shards, replicas = whole("--shards", args.shards), whole("--replicas", args.replicas)
    if replicas is not None and replicas > nodes:
        raise SettingsError(
            "The cluster cannot be laid out.",
            saw=f"--replicas {replicas}, but the cluster has {nodes} nodes",
            fix=f"wish for at most {nodes}, or join more nodes to the cluster first",
        )
    return Spread.of_nodes(nodes, shards=shards, replicas=replicas, pictures=pictures)


def whole(flag: str, text: str | None) -> int | None:
    try:
        return None if text is None else values.whole(1, 10**10)(text)
    except ValueError as error:
        raise SettingsError("The cluster cannot be laid out.", saw=f"{flag} {text} {error}") from error
