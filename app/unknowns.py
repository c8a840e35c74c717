"""unknowns list|show|promote|delete|stranger: who was seen that nobody has a name for."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from app import audit, changing, flags, settings
from app.audit import Audit
from app.opened import add_json, add_yes, is_wished, moment, print_json, table
from app.people import sightings_table
from checkpoints.errors import GalleryError
from pipeline.config import GalleryConfig
from pipeline.gallery.gallery import Gallery, Picture
from pipeline.gallery.intake import check_name
from pipeline.gallery.opening import gallery_of
from pipeline.gallery.unknowns import Cluster, Unknowns


def add_parsers(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "unknowns",
        help="who was seen that has no name",
        description="Faces that have no name, kept for UNKNOWN_RETENTION_DAYS. Those that seem to be of one person "
        "are one cluster, across cameras and days.",
        allow_abbrev=False,
    )
    verbs = parser.add_subparsers(required=True, metavar="list|show|promote|delete|stranger")

    def verb(
        name: str, text: str, command: Callable[[argparse.Namespace], int], *, of_cluster: bool = True
    ) -> argparse.ArgumentParser:
        made = verbs.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.", allow_abbrev=False)
        if of_cluster:
            made.add_argument("cluster", metavar="CLUSTER")
        flags.add_flags(made, flags.GALLERY_FLAGS)
        made.set_defaults(command=command)
        return made

    add_json(verb("list", "everybody, the last seen first", list_command, of_cluster=False))
    showing = verb("show", "when and where a cluster was seen", show_command)
    showing.add_argument("--pictures", metavar="DIR", type=Path, help="write its cut-outs to this folder")
    add_json(showing)
    promoting = verb("promote", "make a cluster a person; past sightings have the name then, too", promote_command)
    promoting.add_argument("name", metavar="NAME")
    add_yes(verb("delete", "erase a cluster", delete_command))
    verb("stranger", "make a cluster a stranger: such a face is given no name again", stranger_command)


def list_command(args: argparse.Namespace) -> int:
    config, store, _ = _store(args)
    clusters = store.clusters()
    if args.json:
        print_json([_as_json(one) for one in clusters])
    elif clusters:
        rows = [
            (one.id, len(one.faces), len(one.sightings), ", ".join(one.cameras), moment(one.first), moment(one.last))
            for one in clusters
        ]
        print(table(("cluster", "faces", "sightings", "cameras", "first", "last"), rows))
    else:
        kept = "are not kept (UNKNOWN_RETENTION_DAYS=0)" if config.unknown_days == 0 else "were not seen"
        print(f"Unknown people {kept}.")
    return 0


def show_command(args: argparse.Namespace) -> int:
    _, store, _ = _store(args)
    cluster = store.cluster(args.cluster)
    if args.pictures is not None:
        _write_pictures(store.pictures(cluster), args.pictures)
    if args.json:
        print_json(_as_json(cluster) | {"seen": [asdict(one) for one in cluster.sightings]})
        return 0
    print(f"{cluster.id}: {len(cluster.faces)} faces, {len(cluster.sightings)} sightings")
    print(sightings_table(cluster.sightings))
    return 0


def promote_command(args: argparse.Namespace) -> int:
    check_name(args.name)
    config, store, book = _store(args)
    cluster = store.cluster(args.cluster)
    with _gallery_of(config, cluster) as gallery:
        given = changing.promote(store, gallery, cluster, args.name, book)
    known = f", added to the {given.before} that there were" if given.before else ""
    print(
        f"{cluster.id} is {args.name} now: {given.pictures} pictures{known}; "
        f"past sightings with this name: {given.sightings}"
    )
    return 0


def stranger_command(args: argparse.Namespace) -> int:
    config, store, book = _store(args)
    cluster = store.cluster(args.cluster)
    with _gallery_of(config, cluster) as gallery:
        given = changing.make_stranger(store, gallery, cluster, book)
    print(f"{cluster.id} is a stranger now: {given.pictures} pictures; sightings erased: {given.sightings}")
    return 0


def delete_command(args: argparse.Namespace) -> int:
    _, store, book = _store(args)
    cluster = store.cluster(args.cluster)
    if not is_wished(f"Erase {cluster.id} with {len(cluster.faces)} faces?", args):
        print("nothing was erased")
        return 1
    faces, sightings = changing.erase_unknown(store, cluster, book)
    print(f"{cluster.id} is erased: {faces} faces with their cut-outs, {sightings} sightings")
    return 0


def _store(args: argparse.Namespace) -> tuple[GalleryConfig, Unknowns, Audit]:
    chosen = settings.read(flags.given(args))
    config = flags.gallery_config(chosen)
    return config, Unknowns(config.path, seal=config.seal), audit.here(chosen)


@contextmanager
def _gallery_of(config: GalleryConfig, cluster: Cluster) -> Iterator[Gallery]:
    """The gallery that compares with the embeddings of this cluster."""
    face = cluster.faces[0]
    gallery = gallery_of(config, space=face.space, dim=len(face.embedding))
    try:
        yield gallery
    finally:
        gallery.close()


def _write_pictures(pictures: list[Picture], folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for one in pictures:
            if one.cutout is not None:
                (folder / f"{one.image_hash}.jpg").write_bytes(one.cutout.jpeg)
    except OSError as error:
        raise GalleryError(
            "The cut-outs cannot be written.", saw=f"{folder}: {error.strerror}", fix="give another folder"
        ) from error


def _as_json(cluster: Cluster) -> dict[str, object]:
    return {
        "cluster": cluster.id,
        "faces": len(cluster.faces),
        "sightings": len(cluster.sightings),
        "cameras": cluster.cameras,
        "first": cluster.first,
        "last": cluster.last,
    }
