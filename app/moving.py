"""gallery export|import|backup|migrate: the gallery as files, and to another embedder."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from app import audit, flags, settings
from app.opened import Opened, moment, opened, table
from checkpoints import json_text
from checkpoints.errors import GalleryError
from engines.align import align
from engines.embedder import Embedder
from engines.load import load_embedder
from pipeline.clock import utc_iso
from pipeline.config import GalleryConfig
from pipeline.gallery.cutting import picture_of
from pipeline.gallery.edits import Edited
from pipeline.gallery.gallery import Cutout
from pipeline.gallery.migration import migrate
from pipeline.gallery.opening import gallery_exists, gallery_of, optimized, reopen_of
from pipeline.gallery.transfer import export, import_into


def add_verbs(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    for name, text, command in (
        ("export", "write all people to a folder: people.jsonl, vectors.npy, crops/", export_command),
        ("import", "take the people of an export", import_command),
        (
            "backup",
            "export to a new folder within DIR, named after the time",
            backup_command,
        ),
    ):
        parser = _verb(verbs, name, text, command)
        parser.add_argument("folder", metavar="DIR", type=Path)
        flags.add_flags(parser, flags.GALLERY_FLAGS)
    migrating = _verb(verbs, "migrate", "embed the kept cut-outs anew, for another embedder", migrate_command)
    flags.add_flags(migrating, ["EMBEDDING_ENGINE", "PRECISION", "BACKEND", "THREADS", "GALLERY_DIR"])


def _verb(
    verbs: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    text: str,
    command: Callable[[argparse.Namespace], int],
) -> argparse.ArgumentParser:
    parser = verbs.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.", allow_abbrev=False)
    parser.set_defaults(command=command)
    return parser


def export_command(args: argparse.Namespace) -> int:
    with opened(args) as here:
        count = export(here.gallery, args.folder)
        here.audit.tell("exported", pictures=count, folder=str(args.folder.absolute()))
    _say_it_is_open(here)
    print(f"{count} pictures in {args.folder}")
    return 0


def backup_command(args: argparse.Namespace) -> int:
    """Its own folder each time; `gallery import` brings it back."""
    folder = args.folder / f"gallery-{utc_iso()[:19].replace(':', '')}Z"
    try:
        args.folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise GalleryError(
            "The backup cannot be written.", saw=f"{args.folder}: {error.strerror}", fix="give another folder"
        ) from error
    with opened(args) as here:
        count = export(here.gallery, folder)
        here.audit.tell("exported", pictures=count, folder=str(folder.absolute()))
    _say_it_is_open(here)
    print(f"{count} pictures in {folder}; bring them back with: gallery import {folder}")
    return 0


def import_command(args: argparse.Namespace) -> int:
    chosen = settings.read(flags.given(args))
    gallery = _gallery_for(args.folder, flags.gallery_config(chosen))
    try:
        report = import_into(gallery, args.folder)
        optimized(gallery)
        audit.here(chosen).tell("imported", pictures=report.new, folder=str(args.folder.absolute()))
    finally:
        gallery.close()
    already = f", {report.already} were there already" if report.already else ""
    print(f"{report.new} pictures taken from {args.folder}{already}")
    return 0


def migrate_command(args: argparse.Namespace) -> int:
    chosen = settings.read(flags.given(args))
    config = flags.gallery_config(chosen)
    if config.server is not None:
        raise GalleryError(
            "A gallery on a server cannot be migrated in place.",
            saw=config.server.url,
            fix="export it, migrate without QDRANT_URL, and import into another QDRANT_COLLECTION",
        )
    embedder = load_embedder(flags.engine_options(chosen), batch=4)
    with tqdm(unit=" pictures", leave=False, disable=None) as bar:
        report = migrate(
            config.path,
            space=embedder.space,
            dim=embedder.dim,
            embed=_embed_with(embedder, bar),
            seal=config.seal,
        )
    print(f"{report.moved} pictures are of {embedder.space} now")
    if report.left:
        print(f"{len(report.left)} could not be moved; enrol these people again:")
        rows = [(kept.name or "a stranger", kept.picture.source or "-", moment(kept.time)) for kept in report.left]
        print(table(("name", "picture", "enrolled"), rows))
    return 0


def _say_it_is_open(here: Opened) -> None:
    if here.config.seal.on:
        print("what was written is not encrypted: keep it where nobody else can read it", file=sys.stderr)


def _embed_with(embedder: Embedder, bar: tqdm) -> Callable[[Sequence[Cutout]], NDArray[np.float32]]:
    def embed(cutouts: Sequence[Cutout]) -> NDArray[np.float32]:
        """(N, D); zeros for a cut-out that cannot be read."""
        rows = np.zeros((len(cutouts), embedder.dim), np.float32)
        images = [(row, picture_of(one), one) for row, one in enumerate(cutouts)]
        crops = {
            row: align(image, one.landmarks[None], embedder.crop)[0] for row, image, one in images if image is not None
        }
        if crops:
            rows[list(crops)] = embedder.embed(np.stack(list(crops.values())))
        bar.update(len(cutouts))
        return rows

    return embed


def _gallery_for(folder: Path, config: GalleryConfig) -> Edited:
    """The gallery that there is; a new one for the embeddings of this export where there is none."""
    if config.server is not None or gallery_exists(config.path):
        return reopen_of(config)
    try:
        with (folder / "people.jsonl").open(encoding="utf-8") as lines:
            first = json_text.read(lines.readline())
        space, dim = str(first["space"]), int(first["dim"])
    except (OSError, ValueError, KeyError, TypeError, OverflowError) as error:
        raise GalleryError(
            "This is no export of a gallery.",
            saw=f"{folder / 'people.jsonl'}: {error}",
            fix="give a folder that `gallery export` or `gallery backup` has written",
        ) from error
    return gallery_of(config, space=space, dim=dim)
