"""gallery cluster move: a gallery comes to a cluster, and what came is compared with what left."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace

from tqdm import tqdm

from app import flags, values
from app.cluster_flags import add_spread, asked_for, wished
from app.opened import print_json
from app.settings import Settings
from checkpoints.errors import GalleryError, SettingsError
from pipeline.config import ServerConfig
from pipeline.gallery.edits import Edited
from pipeline.gallery.opening import reopen_of
from pipeline.gallery.relocation import Compared, Move, Moved, compare


def add_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--from", dest="origin", metavar="URL", help="a server; if left out, the gallery on this disk")
    parser.add_argument("--from-collection", metavar="NAME", help="what it is called there (as at the new place)")
    add_spread(parser)


def move_command(args: argparse.Namespace) -> int:
    from pipeline.gallery.cluster import has_collection, make_collection, node_count, nodes_of

    chosen, server = asked_for(args)
    with _origin(args, chosen, server) as source:
        with nodes_of(server) as nodes:
            if not has_collection(nodes, server.collection):
                spread = wished(args, node_count(nodes), pictures=source.count())
                make_collection(nodes, server.collection, spread, dim=source.dim, space=source.space)
        with _target(server, source) as target, _bar(source) as bar:
            report = Move(source, target, bar.update).run()
    if args.json:
        print_json({**asdict(report), "is_whole": report.is_whole})
    else:
        print(moved_text(report))
    return 0 if report.is_whole else 1


def compared_with_disk(chosen: Settings, server: ServerConfig) -> Compared:
    here = on_disk(chosen)
    try:
        with _target(server, here) as there, _bar(here) as bar:
            return compare(here, there, bar.update)
    finally:
        here.close()


def moved_text(report: Moved) -> str:
    seen = report.compared
    lines = [
        f"{report.put} pictures brought, {report.renamed} given the name they have here",
        f"pictures here {report.source}, there {report.target}, compared {seen.pictures}",
        f"checksums here {seen.here}, there {seen.there}",
    ]
    if report.is_whole:
        more = report.target - report.source
        return "\n".join(
            [*lines, "all of it is there" + (f"; {more} pictures there are not from here" if more else "")]
        )
    lines.append("not all of it is there as it is here; the same command goes on where this one has stopped")
    return "\n".join([*lines, *(f"not alike: {one}" for one in seen.differing[:10])])


def _bar(gallery: Edited) -> tqdm:
    return tqdm(total=gallery.count(), unit=" pictures", leave=False, disable=None)


@contextmanager
def _target(server: ServerConfig, like: Edited) -> Iterator[Edited]:
    from pipeline.gallery.server import QdrantServerGallery

    gallery = QdrantServerGallery(server, space=like.space, dim=like.dim)
    try:
        yield gallery
    finally:
        gallery.close()


@contextmanager
def _origin(args: argparse.Namespace, chosen: Settings, server: ServerConfig) -> Iterator[Edited]:
    gallery = on_disk(chosen) if args.origin is None else _server(args, server)
    try:
        yield gallery
    finally:
        gallery.close()


def on_disk(chosen: Settings) -> Edited:
    """As it is on this disk, or with whoever holds it; the server is not asked."""
    return reopen_of(replace(flags.gallery_config(chosen), server=None))


def _server(args: argparse.Namespace, server: ServerConfig) -> Edited:
    from pipeline.gallery.server import QdrantServerGallery, server_space

    try:
        first, *further = values.urls(args.origin)
    except ValueError as error:
        raise SettingsError("The move cannot begin.", saw=f"--from {args.origin} {error}") from error
    origin = replace(server, url=first, further=tuple(further), collection=args.from_collection or server.collection)
    if origin.collection == server.collection and set(origin.urls) & set(server.urls):
        raise SettingsError(
            "The move cannot begin: the gallery is there already.",
            saw=f"--from {first}, collection {origin.collection}",
            fix="name the old server with --from and the new one with --server, or another QDRANT_COLLECTION",
        )
    kept = server_space(origin)
    if kept is None:
        raise GalleryError(
            "There is no gallery to move.",
            saw=f"{first}, collection {origin.collection}",
            fix="name the right server with --from, and its collection with --from-collection",
        )
    return QdrantServerGallery(origin, space=kept[0], dim=kept[1])
