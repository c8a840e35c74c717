"""From settings to the shelf of sightings and to the eyes that fill it."""

from __future__ import annotations

from app import flags, sealing
from app.archive.shelf import Shelf
from app.archive.watching import Eyes
from app.settings import Settings
from checkpoints.errors import ArchiveError
from engines.models import detector_model, embedder_model


def eyes_of(chosen: Settings) -> Eyes:
    """Asked before work begins, so that a model that is missing is told of at once."""
    options = flags.engine_options(chosen)
    detector_model(options)
    return Eyes(options, chosen.source.size_wh)


def shelf_of(chosen: Settings, *, make: bool = True) -> Shelf:
    """Where sightings of this embedder are kept. make False: ArchiveError when there is none yet."""
    known = embedder_model(flags.engine_options(chosen)).known
    assert known.embedding_dim is not None
    space, dim = known.embedding_space, known.embedding_dim
    server = flags.gallery_config(chosen).server
    if server is not None:
        from app.archive.shelf_on_server import open_on_server  # brings Qdrant's client

        return open_on_server(server, chosen.archive.collection, space=space, dim=dim, make=make)
    from app.archive.shelf_on_disk import open_shelf, shelf_exists

    folder = chosen.archive_dir
    if chosen.archive.path is None and sealing.seal_of(chosen).on:
        raise ArchiveError(
            "The index of an archive is not encrypted.",
            saw="an encryption key, and no ARCHIVE_DIR",
            fix="name a folder on an encrypted disk: ARCHIVE_DIR, --archive DIR",
        )
    if not make and not shelf_exists(folder):
        raise ArchiveError("Nothing was indexed yet.", saw=str(folder), fix="index recordings first: index DIR")
    return open_shelf(folder, space=space, dim=dim)
